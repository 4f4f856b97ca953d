/** What probes of the health gate need of the network. Both resolve to null for success or to a short reason. */
export interface Network {
  /** GET; 2xx and 3xx are success. `deadline` in milliseconds. */
  probeHttp(url: string, deadline: number): Promise<string | null>;
  /** Opens and closes a connection. */
  probeTcp(host: string, port: number, deadline: number): Promise<string | null>;
}
