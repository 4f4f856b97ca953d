import { Figures } from './figures.ts';

/** Says what is under way. */
export type Progress = (line: string) => void;

/** The body of each `test/bench/<name>.ts`, which is a program: progress on stderr, the figures as JSON on stdout. */
export async function bench(measure: (figures: Figures, progress: Progress) => Promise<void>): Promise<void> {
  const figures = new Figures();
  const started = Date.now();
  await measure(figures, (line) => {
    const seconds = String(Math.round((Date.now() - started) / 1_000)).padStart(4);
    process.stderr.write(`${seconds} s  ${line}\n`);
  });
  process.stdout.write(`${figures.toJson()}\n`);
}
