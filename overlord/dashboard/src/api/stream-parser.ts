/** One event of a text/event-stream. */
export interface StreamEvent {
  readonly id: string | null;
  readonly data: string;
}

/**
 * Cuts text that arrives in pieces into events (WHATWG HTML, 9.2.6), as far as we use them: `id`, `data`, comments.
 * Pure: takes what was left over, gives what is left over.
 */
export function parseEvents(pending: string, piece: string): { events: StreamEvent[]; pending: string } {
  const blocks = (pending + piece).replaceAll('\r\n', '\n').split('\n\n');
  const rest = blocks.pop() ?? '';
  const events = blocks.map(parseEvent).filter((event) => event !== null);
  return { events, pending: rest };
}

function parseEvent(block: string): StreamEvent | null {
  let id: string | null = null;
  const data: string[] = [];
  for (const line of block.split('\n')) {
    const [, field, value] = /^(id|data):? ?(.*)$/.exec(line) ?? [];
    if (field === 'id') id = value ?? '';
    if (field === 'data') data.push(value ?? '');
  }
  return data.length === 0 ? null : { id, data: data.join('\n') };
}
