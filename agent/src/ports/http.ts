/** One request, on a connection of its own. */
export interface HttpRequest {
  readonly method: 'GET' | 'POST';
  /** `https:`; `http:` to this machine alone. */
  readonly url: string;
  /** Certificates (PEM) that may vouch for the server, and no others do; null for those of the system. */
  readonly ca: string | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Milliseconds for everything, the reply's body included. There is no default. */
  readonly deadline: number;
  /** Milliseconds without a byte. Default: the deadline. */
  readonly stall?: number;
}

export interface HttpReply {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** To be read to its end, or broken off (`break`), which closes the connection. Throws as `send` does. */
  readonly body: AsyncIterable<Uint8Array>;
}

/** Requests to an overlord. No redirect is followed, nothing is kept but a TLS session for the next connection. */
export interface Http {
  /**
   * Any status is an outcome, not an exception. Throws FleetError `source-unreachable`, `deadline-exceeded`,
   * `certificate-mismatch` (the server is not vouched for by `ca`), `clock-wrong` (its certificate is not valid yet).
   */
  send(request: HttpRequest): Promise<HttpReply>;
}
