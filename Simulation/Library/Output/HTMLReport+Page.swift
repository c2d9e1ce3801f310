// The looks and the behaviour of a report. Nothing here knows anything about locks but how to draw them.

extension HTMLReport {
    static let style = #"""
        :root { color-scheme: light dark; --back: #fff; --ink: #1b1f24; --faint: #d8dee4; --soft: #57606a;
          --bad: #b3261e; --ok: #1a7f37; --warn: #9a6700; --fault: #8884; }
        @media (prefers-color-scheme: dark) { :root { --back: #0d1117; --ink: #e6edf3; --faint: #30363d; --soft: #9da7b1;
          --bad: #ff7b72; --ok: #3fb950; --warn: #d29922; --fault: #aaa4; } }
        body { margin: 0 auto; max-width: 1400px; padding: 1rem 1.5rem; background: var(--back); color: var(--ink);
          font: 15px/1.45 system-ui, sans-serif; }
        h1 { font-size: 1.4rem; margin: 0 0 .3rem; } h2 { font-size: 1.05rem; margin: 1.2rem 0 .3rem; }
        header { border-left: 6px solid var(--ok); padding-left: 1rem; }
        header.violated { border-color: var(--bad); } header.inconclusive { border-color: var(--warn); }
        header p { margin: .2rem 0; } .world, .help { color: var(--soft); font-size: .9rem; }
        ol { margin: .3rem 0; padding-left: 1.6rem; font-variant-numeric: tabular-nums; }
        #picture { overflow: hidden; outline-offset: 4px; } #picture svg { display: block; width: 100%; }
        #now { min-height: 1.6em; font-family: ui-monospace, monospace; }
        text { fill: var(--ink); font: 12px system-ui, sans-serif; } .small { font-size: 10.5px; fill: var(--soft); }
        .lane { stroke: var(--faint); } .bar { stroke: var(--back); } .bartext { fill: #000; font-size: 11px; }
        .fault { fill: var(--fault); } .faultline { stroke: var(--soft); stroke-dasharray: 3 2; }
        .overlap { fill: var(--bad); opacity: .22; } .overlaptext { fill: var(--bad); font-weight: 700; }
        .violation { stroke: var(--bad); stroke-width: 2; } .cursor { stroke: var(--ink); stroke-width: 1.5; }
        .margin { fill: none; stroke: var(--ink); stroke-width: 1.5; } .zero { stroke: var(--bad); }
        table { border-collapse: collapse; font-size: .85rem; font-variant-numeric: tabular-nums; }
        th, td { text-align: left; padding: .1rem .8rem .1rem 0; border-bottom: 1px solid var(--faint); vertical-align: top; }
        tr.here { outline: 2px solid var(--warn); }
        """#

    static let script = #"""
        "use strict";
        const d = JSON.parse(document.getElementById("data").textContent);
        const box = document.getElementById("picture"), line = document.getElementById("now");
        const hues = [210, 30, 130, 290, 0, 55, 175, 330];
        const colour = (c, a) => c < 0 ? "#999" : `hsl(${hues[c % hues.length]} 75% ${a % 2 ? 72 : 60}%)`;
        const esc = s => String(s).replace(/[&<>"]/g, c => ({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"})[c]);
        const sec = t => (t / 1e6).toFixed(6);
        const span = d.to - d.from;
        let from = d.from, to = d.to, at = 0;
        if (d.focus !== undefined) {
          from = Math.max(d.from, d.focus - 1.6 * d.ttl); to = Math.min(d.to, Math.max(d.focus + 1.1 * d.ttl, from + 1));
        }
        // The violation itself, not the first of the events of its moment.
        function broken() {
          const exact = d.events.findIndex(e => e[0] === d.focus && e[1] === "violation");
          return Math.max(0, exact >= 0 ? exact : d.events.findIndex(e => e[0] >= d.focus));
        }
        if (d.focus !== undefined) at = broken();
        const left = 150, right = 20, laneHeight = 30;
        function draw() {
          const width = Math.max(700, box.clientWidth || 1300), x = t => left + (t - from) / (to - from) * (width - left - right);
          const seen = (a, b) => b >= from && a <= to, clip = t => Math.min(Math.max(x(t), left), width - right);
          const rows = [];
          for (let c = 0; c < d.clients; c++) rows.push({kind: "client", i: c, label: `client ${c} believes`, rate: d.rates.clients[c]});
          for (let n = 0; n < d.nodes; n++) for (let r = 0; r < d.resources; r++)
            rows.push({kind: "node", i: n, r, label: `node ${n} has` + (d.resources > 1 ? ` (${String.fromCharCode(97 + r)})` : ""), rate: d.rates.nodes[n]});
          const top = 52, y = k => top + k * laneHeight + (rows[k].kind === "node" ? 14 : 0);
          const marginTop = top + rows.length * laneHeight + 40, marginHeight = 60, height = marginTop + marginHeight + 34;
          let s = `<svg viewBox="0 0 ${width} ${height}" height="${height}"><defs><pattern id="hatch" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><line x1="0" y1="0" x2="0" y2="7" stroke="var(--soft)" stroke-width="1.6"/></pattern><clipPath id="plot"><rect x="${left}" y="0" width="${width - left - right}" height="${height}"/></clipPath></defs>`;
          const step = [1e2, 1e3, 1e4, 1e5, 2e5, 5e5, 1e6, 2e6, 5e6, 1e7, 6e7].find(q => (to - from) / q <= 12) || 6e8;
          for (let t = Math.ceil(from / step) * step; t <= to; t += step)
            s += `<line class="lane" x1="${x(t)}" x2="${x(t)}" y1="${top - 8}" y2="${height - 20}"/><text class="small" x="${x(t)}" y="${height - 6}" text-anchor="middle">${(t / 1e6).toFixed(step < 1e4 ? 4 : step < 1e6 ? 1 : 0)} s</text>`;
          rows.forEach((row, k) => {
            s += `<line class="lane" x1="${left}" x2="${width - right}" y1="${y(k) + laneHeight - 2}" y2="${y(k) + laneHeight - 2}"/><text x="8" y="${y(k) + 16}">${row.label}</text>`;
            if (row.rate) s += `<text class="small" x="8" y="${y(k) + 27}">clock ${row.rate > 0 ? "+" : ""}${row.rate} ppm</text>`;
          });
          s += `<g clip-path="url(#plot)">`;
          d.beliefs.filter(b => seen(b.from, b.to)).forEach(b => {
            const k = rows.findIndex(r => r.kind === "client" && r.i === b.client), w = Math.max(2, x(b.to) - x(b.from));
            s += `<rect class="bar" x="${x(b.from)}" y="${y(k) + 4}" width="${w}" height="20" rx="3" fill="${colour(b.client, b.attempt)}"><title>client ${b.client}, attempt #${b.attempt}: ${sec(b.from)} s to ${sec(b.to)} s, ${esc(b.ending)}</title></rect>`;
            if (clip(b.to) - clip(b.from) > 44) s += `<text class="bartext" x="${clip(b.from) + 4}" y="${y(k) + 18}">c${b.client} #${b.attempt}${clip(b.to) - clip(b.from) > 130 ? ": " + esc(b.ending) : ""}</text>`;
          });
          d.bars.filter(b => seen(b.from, b.to)).forEach(b => {
            const k = rows.findIndex(r => r.kind === "node" && r.i === b.node && r.r === b.resource), w = Math.max(1.5, x(b.to) - x(b.from));
            s += `<rect class="bar" x="${x(b.from)}" y="${y(k) + 7}" width="${w}" height="16" rx="2" fill="${colour(b.client, b.attempt)}"><title>node ${b.node} has the key of client ${b.client}, attempt #${b.attempt}: ${sec(b.from)} s to ${sec(b.to)} s</title></rect>`;
            if (clip(b.to) - clip(b.from) > 40) s += `<text class="bartext" x="${clip(b.from) + 4}" y="${y(k) + 19}">c${b.client} #${b.attempt}</text>`;
          });
          const used = {};
          d.faults.filter(f => seen(f.at, f.end)).forEach(f => {
            const lanes = []; rows.forEach((r, k) => { if ((r.kind === "client" ? f.clients : f.nodes).includes(r.i)) lanes.push(k); });
            lanes.forEach((k, n) => {
              const a = x(f.at), w = Math.max(0, x(f.end) - a);
              if (w > 1) s += `<rect class="fault" x="${a}" y="${y(k) + 1}" width="${w}" height="${laneHeight - 4}"/><rect x="${a}" y="${y(k) + 1}" width="${w}" height="${laneHeight - 4}" fill="url(#hatch)" opacity=".5"><title>${esc(f.text)}</title></rect>`;
              s += `<line class="faultline" x1="${a}" x2="${a}" y1="${y(k)}" y2="${y(k) + laneHeight - 3}"/>`;
              // Once a fault and lane; labels of one lane do not run into each other.
              const start = clip(f.at) + 3, room = used[k] || 0;
              if (start >= room && (n === 0 || lanes.length < 4)) { s += `<text class="small" x="${start}" y="${y(k) + 6}" style="paint-order:stroke;stroke:var(--back);stroke-width:3px">⚡ ${esc(f.kind)}</text>`; used[k] = start + 7 * f.kind.length + 14; }
            });
          });
          d.events.filter(e => e[1] === "node" && e[5].startsWith("clock") && seen(e[0], e[0])).forEach(e => {
            const k = rows.findIndex(r => r.kind === "node" && r.i === e[3]);
            s += `<text class="small" x="${clip(e[0]) + 3}" y="${y(k) + 28}" style="paint-order:stroke;stroke:var(--back);stroke-width:3px">${esc(e[5])}</text>`;
          });
          d.overlaps.filter(o => seen(o.from, o.to)).forEach(o => {
            s += `<rect class="overlap" x="${x(o.from)}" y="${top - 4}" width="${Math.max(2, x(o.to) - x(o.from))}" height="${d.clients * laneHeight + 4}"/><text class="overlaptext" x="${Math.min(clip(o.from), width - 190)}" y="${top - 10}">two believe: overlap</text>`;
          });
          d.violations.filter((v, n) => seen(v.at, v.at) && d.violations.findIndex(w => w.at === v.at) === n).forEach(v => {
            const names = d.violations.filter(w => w.at === v.at).map(w => w.text.split(":")[0]).join(", ");
            s += `<line class="violation" x1="${x(v.at)}" x2="${x(v.at)}" y1="24" y2="${marginTop + marginHeight}"/><text class="overlaptext" x="${Math.min(x(v.at) + 4, width - 160)}" y="22">✖ ${esc(names)}</text>`;
          });
          const my = v => marginTop + marginHeight - Math.min(v, d.quorum) / d.quorum * (marginHeight - 8);
          const ms = d.margins.filter(m => seen(m.at, m.at));
          let path = ""; const last = {};
          // One line a lease: two that overlap have a margin each.
          ms.forEach(m => { path += last[m.attempt] === undefined ? `M${x(m.at)},${my(m.value)}` : `M${x(last[m.attempt].at)},${my(last[m.attempt].value)}H${x(m.at)}V${my(m.value)}`; last[m.attempt] = m; });
          s += `<line class="zero" x1="${left}" x2="${width - right}" y1="${my(0)}" y2="${my(0)}"/><path class="margin" d="${path}"/>`;
          ms.forEach(m => { s += `<circle cx="${x(m.at)}" cy="${my(m.value)}" r="2.5" fill="${m.value ? "var(--ink)" : "var(--bad)"}"><title>margin ${m.value} at ${sec(m.at)} s (client ${m.client})</title></circle>`; });
          const e = d.events[at]; if (e && seen(e[0], e[0])) s += `<line class="cursor" x1="${x(e[0])}" x2="${x(e[0])}" y1="30" y2="${height - 20}"/><text x="${x(e[0])}" y="${height - 20}" text-anchor="middle">▲</text>`;
          s += `</g><text x="8" y="${marginTop + 20}">margin: nodes to</text><text x="8" y="${marginTop + 34}">lose before another</text><text x="8" y="${marginTop + 48}">gets in (0 = broken)</text>`;
          for (let v = 0; v <= d.quorum; v++) s += `<text class="small" x="${left - 6}" y="${my(v) + 4}" text-anchor="end">${v}</text>`;
          box.innerHTML = s + "</svg>";
          line.textContent = e ? `${at + 1} of ${d.events.length}   ${sec(e[0])} s   ${e[1]}   ${e[2] >= 0 ? "client " + e[2] + "  " : ""}${e[3] >= 0 ? "node " + e[3] + "  " : ""}${e[4] >= 0 ? "#" + e[4] + "  " : ""}${e[5]}` : "no events";
          document.querySelectorAll("tr.here").forEach(row => row.classList.remove("here"));
          const row = document.getElementById("rows").children[at]; if (row) row.classList.add("here");
        }
        // So much time round a moment, but nothing before the beginning or after the end.
        function look(t, w) {
          w = Math.min(w, span); from = Math.min(Math.max(t - w / 2, d.from), d.to - w); to = from + w;
        }
        function go(to_) {
          at = Math.min(Math.max(to_, 0), d.events.length - 1);
          const t = d.events[at][0];
          if (t < from || t > to) look(t, to - from);
          draw();
        }
        function zoom(f) {
          look(d.events[at][0], Math.max(200, (to - from) * f)); draw();
        }
        document.addEventListener("keydown", e => {
          if (e.ctrlKey || e.metaKey || e.altKey || !d.events.length) return;
          const n = d.events.length;
          // Outside of the picture these four scroll, as everywhere.
          const paging = {PageDown: () => go(at + 10), PageUp: () => go(at - 10), Home: () => go(0), End: () => go(n - 1)};
          const act = {ArrowRight: () => go(at + 1), ArrowLeft: () => go(at - 1), "+": () => zoom(.5), "=": () => zoom(.5),
            "-": () => zoom(2), v: d.focus !== undefined && (() => go(broken())),
            ...(document.activeElement === box ? paging : {})}[e.key.length > 1 ? e.key : e.key.toLowerCase()];
          if (act) { e.preventDefault(); act(); }
        });
        box.addEventListener("click", e => {
          const r = box.getBoundingClientRect(), w = Math.max(700, box.clientWidth);
          const t = from + ((e.clientX - r.left) * w / r.width - left) / (w - left - right) * (to - from);
          const n = d.events.findIndex(e => e[0] >= t); go(n < 0 ? d.events.length - 1 : n);
        });
        document.getElementById("summary").textContent = `All ${d.events.length} events of the picture, ${sec(d.from)} s to ${sec(d.to)} s`;
        document.querySelector("details").addEventListener("toggle", function () {
          const body = document.getElementById("rows"); if (!this.open || body.childElementCount) return;
          body.innerHTML = d.events.map(e => `<tr><td>${sec(e[0])}<td>${esc(e[1])}<td>${e[2] >= 0 ? e[2] : ""}<td>${e[3] >= 0 ? e[3] : ""}<td>${e[4] >= 0 ? "#" + e[4] : ""}<td>${esc(e[5])}</tr>`).join("");
          draw();
        });
        addEventListener("resize", draw);
        draw();
        box.focus({preventScroll: true});
        """#
}
