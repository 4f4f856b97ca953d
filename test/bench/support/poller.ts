import type { VirtualPi } from '../../virtual-pi/pi.ts';
import { followLines } from './lines.ts';

/** A service answers something else than before, or nothing (null). Milliseconds of the clock that the Pi shares. */
export interface Turn {
  readonly port: number;
  readonly says: string | null;
  /** When it was first seen so. */
  readonly at: number;
  /** When it was last seen as it was before; null for the first turn of all. */
  readonly last: number | null;
}

/** Asks each port every 20 ms, on the Pi itself, and prints its turns. Node's own program: nothing to install. */
const PROGRAM = `
const { get } = require('node:http');
const ask = (port) => new Promise((resolve) => {
  const request = get({ host: '127.0.0.1', port, agent: false, timeout: 500 }, (answer) => {
    let body = '';
    answer.on('data', (chunk) => (body += chunk)).on('error', () => resolve(null));
    answer.on('end', () => resolve(answer.statusCode === 200 ? body.trim() : null));
  });
  request.on('timeout', () => request.destroy()).on('error', () => resolve(null));
});
const follow = async (port) => {
  let known, last = null;
  for (;;) {
    const next = new Promise((resolve) => setTimeout(resolve, 20));
    const says = await ask(port);
    const at = Date.now();
    if (says !== known) console.log(JSON.stringify({ port, says, at, last }));
    [known, last] = [says, at];
    await next;
  }
};
process.argv.slice(1).map(Number).map(follow);
`;

/** What services answer, followed without a break. */
export class Poller {
  private readonly turns: Turn[] = [];
  private readonly following: { readonly stop: () => void };

  constructor(pi: VirtualPi, ports: readonly number[]) {
    this.following = followLines(pi, ['node', '-e', PROGRAM, ...ports.map(String)], (line) => {
      this.turns.push(JSON.parse(line) as Turn);
    });
  }

  /** When a port first answered this, after a time; null while it has not. */
  answered(port: number, word: string, since: number): number | null {
    const turn = this.turns.find((one) => one.port === port && one.says === word && one.at >= since);
    return turn?.at ?? null;
  }

  /** Milliseconds without an answer after a time: from the last good answer to the next one, summed up. */
  downtime(port: number, since: number): number {
    const turns = this.turns.filter((turn) => turn.port === port && turn.at >= since);
    return turns.reduce((sum, turn, index) => {
      const next = turns[index + 1];
      if (turn.says !== null || next === undefined) return sum;
      return sum + next.at - (turn.last ?? turn.at);
    }, 0);
  }

  stop(): void {
    this.following.stop();
  }
}
