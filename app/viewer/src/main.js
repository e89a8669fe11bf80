// What the page loads: puts a studio, and the tray of pictures, into elements. `show(address)` then says which world is shown.
import hud from "./hud/hud.css";
import { Studio } from "./studio.js";
import tray from "./tray/tray.css";
import { TrayPanel } from "./tray/tray_panel.js";

export function mount(host) {
  dress();
  host.studio ??= new Studio(host);
  return host.studio;
}

export function mountTray(host) {
  dress();
  host.tray ??= new TrayPanel(host);
  return host.tray;
}

function dress() {
  if (document.getElementById("swm-style")) return;
  const style = document.createElement("style");
  style.id = "swm-style";
  style.textContent = hud + tray;
  document.head.append(style);
}
