/** What probes of the health gate need of the network (null for success, else a short reason), and the device's place in it. */
export interface Network {
  /** Where others can reach this device, IPv4 first. Empty without a network. */
  addresses(): readonly string[];
  /** GET; 2xx and 3xx are success. `deadline` in milliseconds. */
  probeHttp(url: string, deadline: number): Promise<string | null>;
  /** Opens and closes a connection. */
  probeTcp(host: string, port: number, deadline: number): Promise<string | null>;
}
