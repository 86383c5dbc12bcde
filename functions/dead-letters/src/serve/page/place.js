// What is open, as a part of the address: so a place can be kept as a bookmark, and Back goes back.

import { keepToken } from "./api.js";

const MEMBERS = ["queue", "filters", "message"];

export function place() {
  const parameters = new URLSearchParams(location.hash.slice(1));
  return Object.fromEntries(MEMBERS.map((name) => [name, parameters.get(name) ?? ""]));
}

// The address of a place.
export function address(place) {
  const given = MEMBERS.filter((name) => place[name]).map((name) => [name, place[name]]);
  return `#${new URLSearchParams(given)}`;
}

export function go(place) {
  location.hash = address(place);
}

// Takes the token out of the address, so that nobody copies it with a place.
export function takeToken() {
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  if (token) {
    keepToken(token);
    history.replaceState(null, "", address(place()));
  }
}
