import type { VirtualPi } from '../../virtual-pi/pi.ts';
import { followLines } from './lines.ts';

interface HealthEvent {
  readonly service: string;
  readonly project: string;
  /** Milliseconds. */
  readonly at: number;
}

const FORMAT =
  '{"at":{{.TimeNano}},"service":"{{index .Actor.Attributes "com.docker.compose.service"}}",' +
  '"project":"{{index .Actor.Attributes "com.docker.compose.project"}}"}';

/** When containers became healthy, as the Pi's engine says: the same moment that `docker compose up --wait` waits for. */
export class Health {
  private readonly events: HealthEvent[] = [];
  private readonly following: { readonly stop: () => void };

  constructor(pi: VirtualPi) {
    const filters = ['--filter', 'type=container', '--filter', 'event=health_status: healthy'];
    this.following = followLines(pi, ['docker', 'events', ...filters, '--format', FORMAT], (line) => {
      const event = JSON.parse(line) as HealthEvent;
      this.events.push({ ...event, at: event.at / 1e6 });
    });
  }

  /** When a service of a stack first became healthy after a time; null while it has not. */
  became(service: string, stack: 'agent' | 'plain', since: number): number | null {
    const of = (event: HealthEvent): boolean =>
      event.service === service && (event.project === 'plain') === (stack === 'plain');
    return this.events.find((event) => of(event) && event.at >= since)?.at ?? null;
  }

  stop(): void {
    this.following.stop();
  }
}
