import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { FAR, fit } from './bounds.ts';
import type { Graph } from './graph.ts';
import { Layout } from './layout.ts';
import { labelWidth } from './room.ts';
import { portOf, stationOf, tablesOf } from './test-tables.ts';
import { topologyOf } from './topology.ts';

function graphOf(
  ports: number,
  options: { readonly opened?: readonly string[]; readonly stations?: number } = {},
): Graph {
  const { opened = [], stations = 0 } = options;
  const tables = tablesOf({
    ports: Array.from({ length: ports }, (_, at) => portOf(at + 1)),
    stations: Array.from({ length: stations }, (_, at) =>
      stationOf(`02:00:00:00:00:${at.toString(16).padStart(2, '0')}`, (at % ports) + 1),
    ),
  });
  return topologyOf(tables, { name: 'sw', opened: new Set(opened), revealed: new Set() });
}

function settle(layout: Layout): void {
  for (let turns = 0; !layout.run(0); turns++) assert.ok(turns < 1000, 'the layout settles');
}

function placesOf(layout: Layout): Map<string, { x: number; y: number }> {
  return new Map([...layout.placed].map(([id, { x, y }]) => [id, { x, y }]));
}

function settled(graph: Graph): Layout {
  const layout = new Layout();
  layout.update(graph);
  settle(layout);
  return layout;
}

describe('the layout', () => {
  test('is the same each time, and settles', () => {
    const graph = graphOf(20, { stations: 30 });
    assert.deepEqual(placesOf(settled(graph)), placesOf(settled(graph)));
  });

  test('gives each node room', () => {
    const places = [...settled(graphOf(40)).placed.values()];
    for (const [at, one] of places.entries()) {
      for (const other of places.slice(at + 1)) {
        const apart = Math.hypot(one.x - other.x, one.y - other.y);
        assert.ok(apart > 25, `${one.id} and ${other.id} are ${apart.toFixed(0)} px apart`);
      }
    }
  });

  test('gives long names of wide characters the room that they need', () => {
    assert.ok(labelWidth('W'.repeat(28)) >= 28 * 9.5 && labelWidth('東京'.repeat(14)) >= 28 * 12);
    assert.ok(labelWidth('ether') < 40);
  });

  test('moves others little when a port comes, and nothing when only loads change', () => {
    const layout = settled(graphOf(20, { stations: 30 }));
    const before = placesOf(layout);
    assert.equal(layout.update(graphOf(20, { stations: 30 })), false);
    assert.equal(layout.isSettled, true);
    assert.equal(layout.update(graphOf(21, { stations: 30 })), true);
    settle(layout);
    const moves = [...before].map(([id, { x, y }]) => {
      const now = layout.placed.get(id);
      return now === undefined ? 0 : Math.hypot(now.x - x, now.y - y);
    });
    const mean = moves.reduce((sum, move) => sum + move, 0) / moves.length;
    assert.ok(mean < 12, `the others move by ${mean.toFixed(1)} px in the mean`);
    assert.ok(layout.placed.has('port 21'));
  });

  test('a node stays where it was dragged', () => {
    const layout = settled(graphOf(5));
    layout.drag('port 3', { x: 700, y: -300 });
    layout.drop('port 3');
    settle(layout);
    layout.update(graphOf(6));
    settle(layout);
    const { x, y } = layout.placed.get('port 3') ?? {};
    assert.deepEqual([x, y], [700, -300]);
    layout.reset(graphOf(6));
    settle(layout);
    assert.notEqual(layout.placed.get('port 3')?.x, 700);
  });

  test('is laid out anew when most of the nodes are new, but for those that were dragged', () => {
    const graph = graphOf(10, { stations: 30 });
    const layout = settled(graphOf(10));
    layout.update(graph);
    settle(layout);
    const anew = settled(graph);
    const moves = [...layout.placed].map(([id, { x, y }]) => {
      const wanted = anew.placed.get(id);
      return wanted === undefined ? Number.POSITIVE_INFINITY : Math.hypot(wanted.x - x, wanted.y - y);
    });
    const mean = moves.reduce((sum, move) => sum + move, 0) / moves.length;
    assert.ok(mean < 60, `${mean} px from a first layout in the mean`);
    const dragged = settled(graphOf(10));
    dragged.drag('port 3', { x: 700, y: -300 });
    dragged.drop('port 3');
    dragged.update(graph);
    settle(dragged);
    assert.equal(dragged.placed.get('port 3')?.x, 700);
  });

  test('runs in slices', () => {
    const layout = new Layout();
    layout.update(graphOf(60, { stations: 100 }));
    let now = 0;
    layout.run(3, () => now++);
    assert.equal(layout.isSettled, false);
    assert.ok(now <= 5);
  });
});

describe('a view that fits', () => {
  const free = { width: 800, height: 600, cover: { width: 0, height: 0 } };

  for (const [what, area] of [
    ['a wide area', { ...free, cover: { width: 200, height: 150 } }],
    ['a narrow area', { width: 375, height: 600, cover: { width: 200, height: 150 } }],
    ['an area without a legend', free],
  ] as const) {
    test(`has all nodes with their labels in it, and none below the legend: ${what}`, () => {
      for (const ports of [1, 2, 3, 5, 8, 30]) {
        const nodes = [...settled(graphOf(ports, { stations: 2 * ports })).placed.values()];
        const { x, y, k } = fit(nodes, area);
        for (const { id, kind, x: atX, y: atY, box } of nodes) {
          const isPlain = k < FAR && kind === 'station';
          const [halfWidth, below] = isPlain ? [box.above, box.above] : [box.halfWidth, box.below];
          const [left, right] = [(atX - halfWidth) * k + x, (atX + halfWidth) * k + x];
          const [top, bottom] = [(atY - box.above) * k + y, (atY + below) * k + y];
          const isInside = left >= 0 && right <= area.width && top >= 0 && bottom <= area.height;
          const isCovered = left < area.cover.width && bottom > area.height - area.cover.height;
          assert.ok(isInside && !isCovered, `${ports} ports: ${id} at ${left}, ${top} to ${right}, ${bottom}`);
        }
      }
    });
  }

  test('of nothing is in the middle', () => {
    assert.deepEqual(fit([], free), { x: 400, y: 300, k: 1 });
  });
});
