/** How far the pull of one image has come. */
export interface PullProgress {
  /** Bytes downloaded and unpacked so far, over all layers. Grows with every sign of life, and only then. */
  readonly bytes: number;
  readonly layersDone: number;
  readonly layers: number;
}

/**
 * Pulls images. A port of its own beside Engine, because it cannot be the command line: without a terminal
 * `docker pull` prints one line per finished layer, and a stalled layer of 500 MB looks like a slow one. The engine's
 * HTTP API says how many bytes have come.
 */
export interface ImagePuller {
  /**
   * Pulls one image to its end. `onProgress` is called when something has come, never for a mere retry or wait.
   * Aborting cancels the pull in the engine too. Throws `image-not-found`, `image-denied`, `image-unreachable`,
   * `no-space`, `docker-unreachable`.
   */
  pull(
    reference: string,
    watch: { readonly onProgress: (progress: PullProgress) => void; readonly signal: AbortSignal },
  ): Promise<void>;
}
