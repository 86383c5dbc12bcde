// The few shapes of the picture.

export interface Box {
  readonly svg: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

const STYLE = `text{font:13px system-ui,sans-serif;fill:#1f2937}.title{font-weight:600}.area{fill:#5b6472}.port{font-size:11px;fill:#1d4ed8}`;

export function document(width: number, height: number, title: string, parts: readonly string[]): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img">
<title>${escape(title)}</title>
<style>${STYLE}</style>
<defs><marker id="end" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0L10 5L0 10z" fill="#1d4ed8"/></marker></defs>
<rect width="${width}" height="${height}" fill="#ffffff"/>
${parts.join("\n")}
</svg>
`;
}

export function label(x: number, y: number, text: string, kind = ""): string {
  return `<text x="${x}" y="${y}"${kind && ` class="${kind}"`}>${escape(text)}</text>`;
}

export function box([x, y]: readonly [number, number], width: number, title: string, lines: readonly string[]): Box {
  const height = 30 + 18 * lines.length;
  const texts = [label(x + 10, y + 20, title, "title"), ...lines.map((line, index) => label(x + 10, y + 38 + 18 * index, line))];
  const rect = `<rect x="${x}" y="${y}" width="${width}" height="${height}" rx="6" fill="#f3f6fb" stroke="#4b5b75"/>`;
  return { svg: [rect, ...texts].join("\n"), x, y, width, height };
}

export function list([x, y]: readonly [number, number], title: string, lines: readonly string[]): string {
  return [label(x, y + 14, title, "title"), ...lines.map((line, index) => label(x + 10, y + 34 + 18 * index, line))].join("\n");
}

/** From one box to another: from below to above, or side by side, or back to the left below. */
export function arrow(from: Box, to: Box, text: string): string {
  const middle = (one: Box) => one.x + one.width / 2;
  const below = to.y >= from.y + from.height;
  const right = to.x > from.x;
  const [x1, y1, x2, y2] = below
    ? [middle(from) + (to.x - from.x) / 12, from.y + from.height, middle(to) - (to.x - from.x) / 12, to.y]
    : [right ? from.x + from.width : from.x, from.y + 22, right ? to.x : to.x + to.width, to.y + 22];
  const upwards = to.y + to.height <= from.y;
  const [startX, startY, endX, endY] = upwards ? [middle(from), from.y, middle(to), to.y + to.height] : [x1, y1, x2, y2];
  const line = `<line x1="${startX}" y1="${startY}" x2="${endX}" y2="${endY}" stroke="#1d4ed8" marker-end="url(#end)"/>`;
  // Beside a line that goes up or down; in the gap behind the box that a level one begins at.
  const level = startY === endY;
  const x = level ? startX + (right ? 6 : -34) : startX + (endX - startX) * 0.3 + 4;
  return [line, label(Math.round(x), Math.round(startY + (endY - startY) * 0.3) - 4, text, "port")].join("\n");
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}
