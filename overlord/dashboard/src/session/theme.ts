import { useSyncExternalStore } from 'react';

export const THEMES = ['system', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

const KEY = 'theme';
const CHANGED = new EventTarget();

function read(): Theme {
  const kept = localStorage.getItem(KEY);
  return kept === 'light' || kept === 'dark' ? kept : 'system';
}

/** Paints in the theme that was chosen on this browser; called before the first paint. */
export function applyTheme(): void {
  const theme = read();
  if (theme === 'system') delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = theme;
}

/** The chosen theme and how to choose another. `system` follows the operating system, at night too. */
export function useTheme(): readonly [Theme, (theme: Theme) => void] {
  const theme = useSyncExternalStore((onChange) => {
    CHANGED.addEventListener('change', onChange);
    return () => {
      CHANGED.removeEventListener('change', onChange);
    };
  }, read);
  return [
    theme,
    (next) => {
      localStorage.setItem(KEY, next);
      applyTheme();
      CHANGED.dispatchEvent(new Event('change'));
    },
  ];
}
