import { startEngine } from './engine.ts';
import { busyboxImage } from './images.ts';
import { rootImage } from './root-fs.ts';

/** Before the first test: the engine, the root file systems and the images, so that tests do not make them at once. */
export async function setup(): Promise<void> {
  await startEngine();
  for (const suite of ['trixie', 'bookworm'] as const) await rootImage(suite);
  for (const image of ['busybox:1.36.1', 'busybox:1.37.0']) await busyboxImage(image);
}
