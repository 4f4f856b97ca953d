/** Where a command meets the world: data goes out, progress and complaints go aside. Built in `main.ts`. */
export interface Terminal {
  /** Data: what the command was asked for. stdout. */
  out(text: string): void;
  /** Progress, hints, errors. stderr. */
  aside(text: string): void;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}
