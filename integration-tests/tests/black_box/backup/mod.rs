//! `backup`: what it dumps, what it leaves when something breaks, and what it restores.

mod broken;
mod disk;
mod fixture;
mod history;
mod keys;
mod large;
mod load;
mod monitor;
mod prune;
mod restore;
mod s3;
mod story;
mod verify;
