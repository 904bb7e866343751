// Elements made of text alone: no string ever becomes markup here, whatever a comment holds.

const SVG = "http://www.w3.org/2000/svg";

/**
 * An element with attributes and children.
 *
 * Attributes: `class`, `on` ({event: listener}), `data` ({name: value}); true stands for an attribute without a value,
 * and false, null and undefined leave it out. Children: elements, strings and numbers; null and false are left out.
 */
export function h(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

/** The same for a piece of a drawing. */
export function svg(tag, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "on") {
      for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
    } else if (name === "data") {
      for (const [key, text] of Object.entries(value)) element.dataset[key] = text;
    } else {
      setAttribute(element, name, value);
    }
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Sets, or with false, null and undefined removes, an attribute; a value that is there already is left alone. */
export function setAttribute(element, name, value) {
  if (value === false || value === null || value === undefined) {
    element.removeAttribute(name);
  } else {
    const text = value === true ? "" : String(value);
    if (element.getAttribute(name) !== text) element.setAttribute(name, text);
  }
}

/** Sets the text, unless it is there already: a selection and a screen reader's place survive. */
export function setText(element, text) {
  if (element.textContent !== String(text)) element.textContent = text;
}

/** Replaces what is inside. */
export function fill(element, ...children) {
  element.replaceChildren(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
}

/**
 * Makes the children of `parent` those of `items`, in order, and keeps the element of each key: focus, hover and an open
 * detail survive a refresh.
 */
export function keep(parent, items, keyOf, make, update = () => {}) {
  const old = new Map([...parent.children].map((child) => [child.dataset.key, child]));
  let place = null;
  for (const item of items) {
    const key = String(keyOf(item));
    const child = old.get(key) ?? make(item);
    old.delete(key);
    child.dataset.key = key;
    update(child, item);
    const next = place === null ? parent.firstElementChild : place.nextElementSibling;
    if (next !== child) parent.insertBefore(child, next);
    place = child;
  }
  for (const child of old.values()) child.remove();
}
