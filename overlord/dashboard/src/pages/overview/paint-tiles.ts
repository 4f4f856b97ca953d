import type { DeviceState } from '@metrica-fleet/protocol/device-state';
import { STATE_LOOKS } from '../../ui/state-table.ts';
import type { TileLayout } from './tile-layout.ts';

/** Glyphs are drawn from this side on. Pixels. */
const GLYPH_FROM = 14;
/** The glyphs of states are in a box of this side. */
const BOX = 16;

/** Colours of the theme, read once a painting. */
interface Inks {
  readonly of: (state: DeviceState) => string;
  readonly background: string;
}

/** Paints the map: ten thousand squares take about 30 ms, so that two paintings a second leave the page alone. */
export function paintTiles(canvas: HTMLCanvasElement, layout: TileLayout, width: number): void {
  const context = canvas.getContext('2d');
  if (context === null) return;
  const ratio = globalThis.devicePixelRatio;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(layout.height * ratio);
  context.scale(ratio, ratio);
  const style = getComputedStyle(canvas);
  const inks: Inks = {
    of: (state) => style.getPropertyValue(STATE_LOOKS[state].color),
    background: style.getPropertyValue('--bg'),
  };
  paintHeadings(context, layout, style);
  const glyphs = new Map<DeviceState, Path2D>();
  for (const { tile, x, y } of layout.tiles) {
    paintTile(context, { x, y, size: layout.size, state: tile.state }, inks);
    if (layout.size >= GLYPH_FROM)
      paintGlyph(context, { x, y, size: layout.size, state: tile.state }, { inks, glyphs });
  }
}

function paintHeadings(
  context: CanvasRenderingContext2D,
  layout: TileLayout,
  style: CSSStyleDeclaration,
): void {
  context.textBaseline = 'middle';
  for (const { label, count, y } of layout.groups) {
    context.font = `500 13px ${style.fontFamily}`;
    context.fillStyle = style.getPropertyValue('--ink');
    context.fillText(label, 0, y + 12);
    const { width } = context.measureText(label);
    context.font = `13px ${style.fontFamily}`;
    context.fillStyle = style.getPropertyValue('--ink-3');
    context.fillText(String(count), width + 8, y + 12);
  }
}

interface Square {
  readonly x: number;
  readonly y: number;
  readonly size: number;
  readonly state: DeviceState;
}

function paintTile(context: CanvasRenderingContext2D, { x, y, size, state }: Square, inks: Inks): void {
  const { shape } = STATE_LOOKS[state];
  if (shape === 'filled') {
    context.fillStyle = inks.of(state);
    context.fillRect(x, y, size, size);
    return;
  }
  const line = size >= GLYPH_FROM ? 2 : 1.5;
  context.strokeStyle = inks.of(state);
  context.lineWidth = line;
  context.setLineDash(shape === 'dashed' ? [3, 2.5] : []);
  context.strokeRect(x + line / 2, y + line / 2, size - line, size - line);
}

function paintGlyph(
  context: CanvasRenderingContext2D,
  { x, y, size, state }: Square,
  { inks, glyphs }: { readonly inks: Inks; readonly glyphs: Map<DeviceState, Path2D> },
): void {
  const { glyph, solid } = STATE_LOOKS[state];
  if (glyph === null) return;
  const path = glyphs.get(state) ?? new Path2D(glyph);
  glyphs.set(state, path);
  context.save();
  context.translate(x, y);
  context.scale(size / BOX, size / BOX);
  context.setLineDash([]);
  context.lineWidth = 1.6;
  context.strokeStyle = inks.background;
  context.fillStyle = inks.background;
  if (solid === true) context.fill(path);
  else context.stroke(path);
  context.restore();
}
