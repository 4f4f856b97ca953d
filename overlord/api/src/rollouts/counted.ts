/** `1 device`, `2 devices`. */
export function countedDevices(count: number, kind = ''): string {
  return `${count} ${kind === '' ? '' : `${kind} `}${count === 1 ? 'device' : 'devices'}`;
}
