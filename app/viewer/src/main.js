// What the page loads: puts a studio into an element. `show(address)` then says which world it shows.
import css from "./hud/hud.css";
import { Studio } from "./studio.js";

export function mount(host) {
  if (!document.getElementById("swm-style")) {
    const style = document.createElement("style");
    style.id = "swm-style";
    style.textContent = css;
    document.head.append(style);
  }
  host.studio ??= new Studio(host);
  return host.studio;
}
