import { hashFor, parseRoute, type Route, type SessionTab } from './route.ts';

/** Where the person is; the address after the `#` says the same. */
export class Router {
  route = $state.raw<Route>(parseRoute(location.hash));
  #listen = () => {
    // What `go` wrote there is said late, and is no news.
    if (location.hash !== hashFor(this.route)) this.route = parseRoute(location.hash);
  };

  /** `first` chooses what is shown of a session that is opened from elsewhere. */
  constructor(private readonly first: (id: string) => SessionTab) {
    window.addEventListener('hashchange', this.#listen);
  }

  go(route: Route): void {
    this.route = route;
    const hash = hashFor(route);
    if (location.hash !== hash) location.hash = hash;
  }

  openSession(id: string, tab?: SessionTab): void {
    const here = this.route;
    this.go({ page: 'session', id, tab: tab ?? (here.page === 'session' ? here.tab : this.first(id)), beside: null });
  }

  dispose(): void {
    window.removeEventListener('hashchange', this.#listen);
  }
}
