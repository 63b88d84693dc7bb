// Which dialogs are open.

import { signal } from "@preact/signals";

export const showsSignIn = signal(false);
export const showsKeys = signal(false);
export const showsRequests = signal(false);
