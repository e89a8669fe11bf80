// Elements without markup strings: nothing a world or a person writes is ever parsed as HTML.
import { ICONS } from "./icons.js";

/** `el("button.primary", { onclick }, "Text", child)` */
export function el(spec, attributes = {}, ...children) {
  const [tag, ...classes] = spec.split(".");
  const element = document.createElement(tag || "div");
  element.classList.add(...classes);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (key in element && key !== "list") element[key] = value;
    else element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** An inline 20 px icon drawn with strokes. */
export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 20 20");
  svg.setAttribute("aria-hidden", "true");
  for (const d of ICONS[name]) {
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    path.setAttribute("d", d);
    svg.append(path);
  }
  return svg;
}

/** A button that shows an icon, with its name and key as a tooltip. */
export function iconButton(name, title, onclick, key = "") {
  const hint = key ? `${title} (${key})` : title;
  return el("button.swm-icon", { type: "button", title: hint, "aria-label": title, onclick }, icon(name));
}

/** Mutually exclusive buttons; `mark(value)` shows which one holds. */
export function segmented(label, options, onchoose) {
  const buttons = new Map(
    options.map(({ value, name, iconName, key }) => {
      const hint = key ? `${name} (${key})` : name;
      const content = iconName ? [icon(iconName), el("span", {}, name)] : [name];
      return [value, el("button", { type: "button", title: hint, onclick: () => onchoose(value) }, ...content)];
    }),
  );
  const group = el("div.swm-segmented", { role: "group", "aria-label": label }, ...buttons.values());
  group.mark = (value) => {
    for (const [v, button] of buttons) button.setAttribute("aria-pressed", String(v === value));
  };
  return group;
}
