// Making and keeping elements. Text goes in as text only, never as HTML: labels hold whatever a client sent.

/** Makes an element with properties and children; a string becomes text. */
export function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

/** Makes a table cell that carries its column's title, for narrow screens. */
export function cell(title, className, ...children) {
  const made = element("td", { className }, ...children);
  made.dataset.title = title;
  return made;
}

/** Sets an element's text unless it has it already, so that a selection in it survives. */
export function setText(target, text) {
  if (target.textContent !== text) {
    target.textContent = text;
  }
}

/**
 * Makes the rows of a table body those of the items, in their order. A row is kept as long as its item is there, and
 * with it the focus.
 *
 * @param keyOf the item's identity
 * @param makeRow makes the row of a new item
 */
export function keepRows(body, items, keyOf, makeRow) {
  const rows = new Map([...body.rows].map((row) => [row.dataset.key, row]));
  let place = body.firstElementChild;
  for (const item of items) {
    const key = keyOf(item);
    let row = rows.get(key);
    rows.delete(key);
    if (row === undefined) {
      row = makeRow(item);
      row.dataset.key = key;
    }
    if (row === place) {
      place = place.nextElementSibling;
    } else {
      body.insertBefore(row, place);
    }
  }
  for (const row of rows.values()) {
    row.remove();
  }
}
