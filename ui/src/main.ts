import { mount } from 'svelte';
import './theme/tokens.css';
import './theme/base.css';
import './theme/tones.css';
import { Client } from './api/client.ts';
import { HttpTransport } from './api/http.ts';
import { TauriTransport } from './api/tauri.ts';
import App from './App.svelte';
import { contextOf } from './app/context.ts';
import { makeApp } from './app/make.ts';
import { BrowserShell } from './shell/browser.ts';
import { inWindow, TauriShell } from './shell/tauri.ts';

// The one place that chooses between the window and a browser.
const target = document.getElementById('app');
if (!target) throw new Error('index.html has no #app');
const app = inWindow() ? makeApp(new Client(new TauriTransport()), new TauriShell()) : makeApp(new Client(new HttpTransport()), new BrowserShell());
mount(App, { target, context: contextOf(app) });
