import type { Film, LineVersion } from "./film";
import type { Run, Style } from "./screen";

// A terminal of 14 px text. `textLength` makes each run as wide as its columns, whatever font the reader's system has.
const fontSize = 14;
const columnWidth = 8.4;
const lineHeight = 19;
const padding = 18;
const titleBarHeight = 34;

// The background is dark on light pages too, as in most terminals. The border separates it from a dark page.
const background = "#11151c";
const border = "#3b4352";
const foreground = "#dfe5ee";
const colors = [
  ...["#5c6675", "#ff7b72", "#56d364", "#e3b341", "#6cb6ff", "#dcbdfb", "#56d4dd", "#dfe5ee"],
  ...["#8b96a5", "#ffa198", "#7ee787", "#f2cc60", "#8cc4ff", "#e2c5ff", "#76e3ea", "#ffffff"],
];

/** The size of the terminal in characters, and what a screen reader says instead of the picture. */
export interface PictureOptions {
  readonly columns: number;
  readonly rows: number;
  readonly title: string;
}

/**
 * Draws a film as an SVG that plays it again and again. It shows the last picture to readers who prefer no motion, and where
 * animations do not work. It loads nothing.
 */
export function drawFilm(film: Film, { columns, rows, title }: PictureOptions): string {
  const width = Math.ceil(columns * columnWidth + 2 * padding);
  const windowHeight = rows * lineHeight;
  const height = titleBarHeight + windowHeight + padding;
  const times = [...new Set(film.versions.map(timesOf))];
  const classNames = new Map(times.map((time, index) => [time, `t${index.toString(36)}`]));
  const lines = film.versions.map((version) => drawLine(version, classNames.get(timesOf(version)) ?? ""));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    `<title>${escapeXml(title)}</title>`,
    "<style>",
    `text{font:${fontSize}px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono","Liberation Mono",monospace;fill:${foreground};white-space:pre}`,
    `.b{font-weight:700}.d{opacity:.65}.u{text-decoration:underline}`,
    ...usedColors(film).map((color) => `.c${color}{fill:${colors[color]}}`),
    ".x{visibility:hidden}",
    "@media (prefers-reduced-motion:no-preference){",
    `g{animation:${film.durationMs}ms step-end infinite}`,
    ...drawTimes(film, classNames),
    drawScrolls(film),
    "}",
    "</style>",
    `<rect x=".5" y=".5" width="${width - 1}" height="${height - 1}" rx="8" fill="${background}" stroke="${border}"/>`,
    ...["#ff7b72", "#e3b341", "#56d364"].map(
      (fill, index) => `<circle cx="${padding + 3 + index * 18}" cy="17" r="5" fill="${fill}"/>`,
    ),
    `<svg aria-hidden="true" x="${padding}" y="${titleBarHeight}" width="${width - 2 * padding}" height="${windowHeight}">`,
    `<g class="s" transform="translate(0 ${-lastFirstLine(film) * lineHeight})">`,
    ...lines,
    "</g>",
    "</svg>",
    "</svg>",
    "",
  ].join("\n");
}

function timesOf({ startMs, endMs }: LineVersion): string {
  return `${startMs}-${endMs ?? ""}`;
}

function drawTimes(film: Film, classNames: ReadonlyMap<string, string>): string[] {
  return [...classNames].map(([time, name]) => {
    const [startMs = "", endMs = ""] = time.split("-");
    const frames = [
      "0%{visibility:hidden}",
      `${percent(Number(startMs), film)}{visibility:visible}`,
      ...(endMs === "" ? [] : [`${percent(Number(endMs), film)}{visibility:hidden}`]),
    ];
    return `.${name}{animation-name:${name}}@keyframes ${name}{${frames.join("")}}`;
  });
}

function drawScrolls(film: Film): string {
  const frames = film.scrolls.map(
    ({ startMs, firstLine }) => `${percent(startMs, film)}{transform:translateY(${-firstLine * lineHeight}px)}`,
  );
  return `.s{animation-name:s}@keyframes s{${frames.join("")}}`;
}

function drawLine({ line, runs, endMs }: LineVersion, className: string): string {
  const y = line * lineHeight + fontSize;
  return `<g class="${className}${endMs === undefined ? "" : " x"}">${runs.map((run) => drawRun(run, y)).join("")}</g>`;
}

function drawRun({ text, column, style }: Run, y: number): string {
  const begin = style.underline ? 0 : text.length - text.trimStart().length;
  const shown = escapeXml(text.slice(begin));
  const x = round((column + begin) * columnWidth);
  const length = round((text.length - begin) * columnWidth);
  const classes = drawClasses(style);
  return shown === "" ? "" : `<text x="${x}" y="${y}" textLength="${length}"${classes}>${shown}</text>`;
}

function drawClasses({ color, bold, dim, underline }: Style): string {
  const names = [
    ...(color === undefined ? [] : [`c${color}`]),
    ...(bold ? ["b"] : []),
    ...(dim ? ["d"] : []),
    ...(underline ? ["u"] : []),
  ];
  return names.length === 0 ? "" : ` class="${names.join(" ")}"`;
}

function usedColors(film: Film): number[] {
  const used = film.versions.flatMap(({ runs }) => runs.flatMap(({ style }) => style.color ?? []));
  return [...new Set(used)].sort((one, other) => one - other);
}

function lastFirstLine(film: Film): number {
  return film.scrolls.at(-1)?.firstLine ?? 0;
}

function percent(ms: number, film: Film): string {
  return `${round((100 * ms) / film.durationMs)}%`;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

function escapeXml(text: string): string {
  return text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
}
