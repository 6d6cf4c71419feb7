// Runs in a page of the browser, as the text of a script. Its result is the visible text of the page whose contrast is below
// level AA of WCAG 2: 4.5, or 3 for large text. Text over a picture or a gradient is not checked.

(() => {
  /** A colour as red, green, blue from 0 to 255, and its opacity from 0 to 1. */
  const parse = (color) => {
    const [red = 0, green = 0, blue = 0, alpha = 1] = (color.match(/[\d.]+/g) ?? []).map(Number);
    return { channels: [red, green, blue], alpha };
  };
  const blend = ({ channels, alpha }, below) =>
    below.map((value, index) => channels[index] * alpha + value * (1 - alpha));
  const luminance = (channels) => {
    const [red, green, blue] = channels.map((value) => {
      const share = value / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const backgroundOf = (element) => {
    if (element === null) {
      return [255, 255, 255];
    }
    const color = parse(getComputedStyle(element).backgroundColor);
    return color.alpha === 1 ? color.channels : blend(color, backgroundOf(element.parentElement));
  };

  const found = new Set();
  const nodes = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = nodes.nextNode(); node !== null; node = nodes.nextNode()) {
    const element = node.parentElement;
    const text = node.textContent.trim();
    if (text === "" || !element.checkVisibility({ opacityProperty: true, visibilityProperty: true })) {
      continue;
    }
    const style = getComputedStyle(element);
    const background = backgroundOf(element);
    const values = [luminance(blend(parse(style.color), background)), luminance(background)];
    const contrast = (Math.max(...values) + 0.05) / (Math.min(...values) + 0.05);
    const size = Number.parseFloat(style.fontSize);
    const isLarge = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    if (contrast < (isLarge ? 3 : 4.5)) {
      found.add(`${contrast.toFixed(2)} ${element.tagName.toLowerCase()}.${element.className}: ${text.slice(0, 40)}`);
    }
  }
  return [...found];
})();
