import type { IconName } from '../parts/icons.ts';
import type { SettingsPage } from '../state/route.ts';

export const settingsNames: Record<SettingsPage, { label: string; icon: IconName; words: string }> = {
  accounts: { label: 'Accounts', icon: 'key', words: 'credentials tokens keychain sign in' },
  usage: { label: 'Usage', icon: 'bolt', words: 'tokens cost money budget limits plan' },
  appearance: { label: 'Appearance', icon: 'sun', words: 'theme dark light contrast density font' },
  shortcuts: { label: 'Shortcuts', icon: 'keyboard', words: 'keys remap' },
  defaults: { label: 'Defaults', icon: 'settings', words: 'agent runtime posture image' },
  notifications: { label: 'Notifications', icon: 'bell', words: 'alerts' },
  storage: { label: 'Storage', icon: 'disk', words: 'trash restore clean up room' },
  doctor: { label: 'Doctor', icon: 'heart', words: 'checks fix repair engine' },
  about: { label: 'About', icon: 'info', words: 'version paths' },
};
