import { useLayoutEffect, useState, useSyncExternalStore, type RefObject } from 'react';

/** The width of an element in whole pixels, again whenever it changes; 0 before the first look. */
export function useWidth(element: RefObject<HTMLElement | null>): number {
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => {
    const { current } = element;
    if (current === null) return undefined;
    const look = () => setWidth(Math.floor(current.getBoundingClientRect().width));
    look();
    const observer = new ResizeObserver(look);
    observer.observe(current);
    return () => observer.disconnect();
  }, [element]);
  return width;
}

const DARK = '(prefers-color-scheme: dark)';

/** Whether the operating system is in the dark, again when the evening comes: for what is painted by hand. */
export function useDarkSystem(): boolean {
  return useSyncExternalStore(
    (onChange) => {
      const query = matchMedia(DARK);
      query.addEventListener('change', onChange);
      return () => query.removeEventListener('change', onChange);
    },
    () => matchMedia(DARK).matches,
  );
}
