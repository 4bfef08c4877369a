import { drag } from 'd3-drag';
import { select } from 'd3-selection';
import { type ZoomTransform, zoom, zoomIdentity } from 'd3-zoom';
import { type Area, FAR, fit, LEAST_ZOOM, type View } from './bounds.ts';
import type { Graph } from './graph.ts';
import type { Layout, Placed } from './layout.ts';
import type { Place } from './start-places.ts';

/** The layout gets so much of a frame, and so much before the picture is shown at first. */
const SLICE_MS = 6;
const FIRST_MS = 40;
const GLIDE_MS = 250;
/** With more nodes labels are left out while they move. */
const CROWD = 150;
const MOST_ZOOM = 3;
const STEP = 1.3;
/** Below this one only the labels of networks, and of what was found or is a fault. */
const REMOTE = 0.42;
/** A label on the screen when the picture is small; and its bounds in the picture. */
const SCREEN_LABEL_PX = 10.5;
const LEAST_FAR_LABEL_PX = 16;
const MOST_FAR_LABEL_PX = 32;

/**
 * Moves what Preact has made: the places of nodes and links, the view, and drags. It writes attributes only, so a frame of
 * 500 nodes costs no comparison of trees.
 */
export class Stage {
  readonly #svg: SVGSVGElement;
  readonly #world: SVGGElement;
  readonly #layout: Layout;
  readonly #zoom = zoom<SVGSVGElement, unknown>();
  #graph: Graph = { nodes: [], links: [] };
  #view: ZoomTransform = zoomIdentity;
  #frame = 0;
  /** Whether the user has chosen a view; until then the picture is fitted. */
  #isViewChosen = false;
  #isGliding = false;
  readonly #written = new WeakMap<Element, string>();
  /** the node that stays in the centre while the layout moves it */
  #followed: string | undefined;

  constructor(svg: SVGSVGElement, layout: Layout) {
    this.#svg = svg;
    this.#world = svg.querySelector('g') as SVGGElement;
    this.#layout = layout;
    this.#zoom
      .scaleExtent([LEAST_ZOOM, MOST_ZOOM])
      .filter((event: MouseEvent) => !event.button && (event.type === 'wheel' || nodeOf(event.target) === undefined))
      .on('zoom', ({ transform, sourceEvent }: { transform: ZoomTransform; sourceEvent: Event | null }) => {
        if (sourceEvent !== null) this.#choose();
        this.#view = transform;
        this.#world.setAttribute('transform', transform.toString());
        this.#svg.classList.toggle('topology-far', transform.k < FAR);
        if (transform.k < FAR) this.#svg.style.setProperty('--far-label', `${farLabelPx(transform.k)}px`);
        this.#svg.classList.toggle('topology-remote', transform.k < REMOTE);
      });
    select(svg).call(this.#zoom).on('dblclick.zoom', null).call(this.#drags());
  }

  /** To be called when Preact has rendered `graph`. */
  show(graph: Graph): void {
    this.#graph = graph;
    const isFirst = this.#layout.placed.size === 0;
    this.#layout.update(graph);
    if (isFirst) this.#runFirst();
    this.#place();
    this.resized();
    this.#wake();
  }

  /** The area of the picture may have another size. */
  resized(): void {
    if (!this.#isViewChosen) this.#set(this.#fitted());
    else this.#follow();
  }

  close(): void {
    cancelAnimationFrame(this.#frame);
    select(this.#svg).on('.zoom', null).on('.drag', null);
  }

  fit(): void {
    this.#isViewChosen = false;
    this.#followed = undefined;
    this.#glide(() => this.#fitted());
  }

  /** Gives up the places of dragged nodes, too. */
  rearrange(): void {
    this.#layout.reset(this.#graph);
    this.#runFirst();
    this.fit();
    this.#wake();
  }

  /** A crowd is shown from the start, since making its elements takes a frame already. */
  #runFirst(): void {
    if (this.#layout.placed.size <= CROWD) this.#layout.run(FIRST_MS);
  }

  zoomBy(factor: number): void {
    this.#choose();
    select(this.#svg).call(this.#zoom.scaleBy, factor);
  }

  panBy(x: number, y: number): void {
    this.#choose();
    select(this.#svg).call(this.#zoom.translateBy, x / this.#view.k, y / this.#view.k);
  }

  get steps(): { readonly in: number; readonly out: number } {
    return { in: STEP, out: 1 / STEP };
  }

  /** Brings a node into the centre, near enough to read it. */
  centre(id: string): void {
    this.#isViewChosen = true;
    this.#followed = id;
    this.#glide(() => this.#centred(id));
    this.#wake();
  }

  #centred(id: string): View | undefined {
    const place = this.#layout.placed.get(id);
    if (place === undefined) return undefined;
    const { width, height } = this.#svg.getBoundingClientRect();
    const k = Math.max(1, this.#view.k);
    return { k, x: width / 2 - place.x * k, y: height / 2 - place.y * k };
  }

  #fitted(): View {
    return fit(this.#layout.placed.values(), this.#area());
  }

  #area(): Area {
    const { left, bottom, width, height } = this.#svg.getBoundingClientRect();
    const legend = this.#svg.parentElement?.querySelector('.topology-legend')?.getBoundingClientRect();
    const isShown = legend !== undefined && legend.width > 0;
    const cover = isShown ? { width: legend.right - left, height: bottom - legend.top } : { width: 0, height: 0 };
    return { width, height, cover };
  }

  #choose(): void {
    this.#isViewChosen = true;
    this.#followed = undefined;
  }

  #set({ x, y, k }: View): void {
    const { x: wasX, y: wasY, k: wasK } = this.#view;
    if (x === wasX && y === wasY && k === wasK) return;
    select(this.#svg).call(this.#zoom.transform, zoomIdentity.translate(x, y).scale(k));
  }

  #follow(): void {
    const view = this.#followed === undefined || this.#isGliding ? undefined : this.#centred(this.#followed);
    if (view !== undefined) this.#set(view);
  }

  /**
   * Moves the view over several frames; at once where motion is not wanted.
   * @param target asked in each frame, since the layout and the area may change meanwhile
   */
  #glide(target: () => View | undefined): void {
    const isStill = matchMedia('(prefers-reduced-motion: reduce)').matches;
    const from = this.#view;
    const start = performance.now();
    this.#isGliding = true;
    const step = (now: number): void => {
      const part = isStill ? 1 : Math.min(1, Math.max(0, (now - start) / GLIDE_MS));
      const to = target() ?? from;
      const eased = 1 - (1 - part) ** 3;
      const between = (one: number, other: number): number => one + (other - one) * eased;
      this.#set({ x: between(from.x, to.x), y: between(from.y, to.y), k: between(from.k, to.k) });
      this.#isGliding = part < 1;
      if (this.#isGliding) requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
  }

  #wake(): void {
    const { isSettled, placed } = this.#layout;
    this.#svg.classList.toggle('topology-moving', !isSettled && placed.size > CROWD);
    this.#svg.setAttribute('aria-busy', String(!isSettled));
    if (this.#frame !== 0 || isSettled) return;
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      this.#layout.run(SLICE_MS);
      this.#place();
      this.resized();
      this.#wake();
    });
  }

  #place(): void {
    const { placed } = this.#layout;
    for (const element of this.#world.querySelectorAll<SVGGElement>('[data-node]')) {
      const place = placed.get(element.getAttribute('data-node') ?? '');
      if (place !== undefined) this.#write(element, 'transform', `translate(${rounded(place.x)},${rounded(place.y)})`);
    }
    for (const element of this.#world.querySelectorAll<SVGPathElement>('[data-from]')) {
      const from = placed.get(element.getAttribute('data-from') ?? '');
      const to = placed.get(element.getAttribute('data-to') ?? '');
      if (from !== undefined && to !== undefined) this.#write(element, 'd', `M${pointOf(from)}L${pointOf(to)}`);
    }
  }

  /** An attribute that is written has to be drawn again, also if it is the same. */
  #write(element: Element, name: string, value: string): void {
    if (this.#written.get(element) === value) return;
    this.#written.set(element, value);
    element.setAttribute(name, value);
  }

  #drags() {
    const at = ({ x, y }: Place): Place => {
      const [worldX, worldY] = this.#view.invert([x, y]);
      return { x: worldX, y: worldY };
    };
    return drag<SVGSVGElement, unknown, { id: string; x: number; y: number }>()
      .clickDistance(4)
      .filter((event: MouseEvent) => !event.button && nodeOf(event.target) !== undefined)
      .subject(({ sourceEvent }: { sourceEvent: Event }) => {
        const id = nodeOf(sourceEvent.target) ?? '';
        const place: Placed | undefined = this.#layout.placed.get(id);
        const [x, y] = this.#view.apply([place?.x ?? 0, place?.y ?? 0]);
        return { id, x, y };
      })
      .on('drag', ({ subject, x, y }: { subject: { id: string }; x: number; y: number }) => {
        this.#choose();
        this.#layout.drag(subject.id, at({ x, y }));
        this.#wake();
      })
      .on('end', ({ subject }: { subject: { id: string } }) => this.#layout.drop(subject.id));
  }
}

/** The size of labels in a small picture: as on a screen, but no larger than a node. In whole px, so that it seldom changes. */
function farLabelPx(zoom: number): number {
  return Math.min(MOST_FAR_LABEL_PX, Math.max(LEAST_FAR_LABEL_PX, Math.round(SCREEN_LABEL_PX / zoom)));
}

/** The id of the node that an element belongs to. */
export function nodeOf(target: EventTarget | null): string | undefined {
  if (!(target instanceof Element)) return undefined;
  return target.closest<SVGGElement>('[data-node]')?.getAttribute('data-node') ?? undefined;
}

function rounded(px: number): number {
  return Math.round(px * 10) / 10;
}

function pointOf({ x, y }: Place): string {
  return `${rounded(x)} ${rounded(y)}`;
}
