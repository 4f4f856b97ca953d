import { FleetError, type Problem } from '@metrica-fleet/protocol';

/** Words of engines and registries, and what they mean. The first that fits wins: «access denied» also says «not exist». */
const MEANINGS: readonly (readonly [RegExp, Omit<Problem, 'what' | 'where'>])[] = [
  [
    /denied|unauthorized|authentication required|no basic auth|forbidden|\b40[13]\b/i,
    {
      code: 'image-denied',
      remedy:
        'The image is private or does not exist. Log in on the device with `sudo docker login <registry>`, or correct its name.',
    },
  ],
  [/no space left/i, { code: 'no-space', remedy: 'Free space: `docker system df`.' }],
  [
    /no matching manifest/i,
    {
      code: 'image-not-found',
      remedy: 'Push the image for the architecture of this device too (`docker buildx`).',
    },
  ],
  [
    /manifest unknown|name unknown|not found|repository name not known|invalid reference|must be lowercase/i,
    { code: 'image-not-found', remedy: 'Push the image, or correct its name in compose.yaml.' },
  ],
  [
    /too ?many ?requests|rate limit/i,
    {
      code: 'image-unreachable',
      remedy: 'The registry limits pulls; log in, or use a mirror near the fleet.',
    },
  ],
];

/** A failed pull as a problem, by what the engine says: its status codes do not tell a missing image from a private one. */
export function pullFailure(reference: string, message: string): FleetError {
  const meaning = MEANINGS.find(([words]) => words.test(message))?.[1] ?? {
    code: 'image-unreachable' as const,
    remedy: 'Look at the network and at the registry; it is tried again by itself.',
  };
  return new FleetError({
    ...meaning,
    what: `The image ${reference} cannot be pulled: ${message.trim().slice(0, 500)}`,
    where: reference,
  });
}
