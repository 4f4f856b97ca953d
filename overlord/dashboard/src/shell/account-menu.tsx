import { Menu } from '@base-ui/react/menu';
import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { Check, CircleUser } from 'lucide-react';
import { useChange } from '../api/calls.ts';
import { knownMe, remember } from '../session/session.ts';
import { THEMES, useTheme } from '../session/theme.ts';

const THEME_LABELS = { system: 'As the system', light: 'Light', dark: 'Dark' } as const;
const ITEM =
  'flex control items-center gap-2 rounded px-2 text-13 outline-none select-none data-highlighted:bg-hover cursor-pointer';

/** Who is signed in, how the pages look, the API's reference, and the way out. */
export function AccountMenu() {
  const queries = useQueryClient();
  const navigate = useNavigate();
  const [theme, setTheme] = useTheme();
  const signOut = useChange('signOut');
  const me = knownMe(queries);
  const leave = () => {
    signOut.mutate(
      {},
      {
        // Signed out here even when the overlord could not be told: the person wants to be gone.
        onSettled: () => {
          remember(queries, null);
          void navigate({ to: '/sign-in' });
        },
      },
    );
  };
  return (
    <Menu.Root modal={false}>
      <Menu.Trigger
        aria-label="Account"
        className="inline-flex size-8 shrink-0 items-center justify-center rounded text-ink-2 hover:bg-hover hover:text-ink pointer-coarse:size-11"
      >
        <CircleUser size={18} aria-hidden="true" />
      </Menu.Trigger>
      <Menu.Portal>
        <Menu.Positioner sideOffset={4} align="end" className="z-20">
          <Menu.Popup className="fade min-w-52 rounded border border-line-strong bg-raised p-1 outline-none">
            <div className="px-2 py-2 text-13">
              <div className="font-medium">{me?.name}</div>
              <div className="text-12 text-ink-3">{me?.role}</div>
            </div>
            <Menu.RadioGroup
              value={theme}
              onValueChange={setTheme}
              aria-label="Colours"
              className="border-t border-line py-1"
            >
              {THEMES.map((each) => (
                <Menu.RadioItem key={each} value={each} closeOnClick={false} className={ITEM}>
                  <span className="inline-flex w-4">
                    <Menu.RadioItemIndicator>
                      <Check size={14} aria-hidden="true" />
                    </Menu.RadioItemIndicator>
                  </span>
                  {THEME_LABELS[each]}
                </Menu.RadioItem>
              ))}
            </Menu.RadioGroup>
            <div className="border-t border-line pt-1">
              <Menu.Item className={ITEM} render={<a href="/api/docs">API reference</a>} />
              <Menu.Item className={ITEM} onClick={leave}>
                Sign out
              </Menu.Item>
            </div>
          </Menu.Popup>
        </Menu.Positioner>
      </Menu.Portal>
    </Menu.Root>
  );
}
