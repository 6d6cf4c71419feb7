// Creates and updates elements. Text is inserted as text, never as HTML, because labels contain whatever a client sent.

/** Creates an element with properties and children. A string becomes text. */
export function element(tag, properties = {}, ...children) {
  const created = Object.assign(document.createElement(tag), properties);
  created.append(...children);
  return created;
}

/** Creates a table cell that has its column's title, for narrow screens. */
export function cell(title, className, ...children) {
  const created = element("td", { className }, ...children);
  created.dataset.title = title;
  return created;
}

/** Sets an element's text if it differs, so that a selection in it survives. */
export function setText(target, text) {
  if (target.textContent !== text) {
    target.textContent = text;
  }
}

/**
 * Gives a table body one row for each item, in their order. A row stays as long as its item is there, and keeps the focus.
 *
 * @param keyOf the item's identity
 * @param makeRow creates the row of a new item
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
