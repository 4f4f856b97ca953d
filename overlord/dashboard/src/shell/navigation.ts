import { HousePlus, LayoutGrid, Rocket, Router } from 'lucide-react';
import type { LucideIcon } from 'lucide-react';
import type { Principal } from '@metrica-fleet/protocol/principals';

/** The pages that are always one tap away; each entry has its page. */
export const NAVIGATION: readonly {
  readonly to: '/' | '/devices' | '/rollouts' | '/enrol';
  readonly label: string;
  readonly icon: LucideIcon;
  /** Who it is of use to. */
  readonly needs: Principal;
}[] = [
  { to: '/', label: 'Overview', icon: LayoutGrid, needs: 'viewer' },
  { to: '/devices', label: 'Devices', icon: Router, needs: 'viewer' },
  { to: '/rollouts', label: 'Rollouts', icon: Rocket, needs: 'viewer' },
  { to: '/enrol', label: 'Enrol', icon: HousePlus, needs: 'operator' },
];
