//! `dead-letters serve`: the web page, over HTTP and in a browser.

mod api;
mod attacks;
mod browser;
mod ends;
mod keyboard;
mod replay;
mod screenshots;
mod server;
