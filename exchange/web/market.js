// The live market on the front page: one WebSocket, folded into a state, drawn a few times a second.

const LEVELS = 12;
const TRADES = 24;
const DRAW_MS = 120;
const RETRY_MS = 1500;

const state = {
  instruments: [],
  chosen: "",
  tickers: new Map(),
  bbos: new Map(),
  marks: new Map(),
  book: null,
  trades: [],
  closes: [],
  seq: 0,
  clock: { exchange: 0, at: 0, speed: 1 },
};
let socket = null;
let drawing = 0;

const byId = (id) => document.getElementById(id);

// -- small things -----------------------------------------------------------------------------

function element(tag, text, className) {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
}

const cell = (text, className) => element("td", text ?? "–", className);
const direction = (number) => (number > 0 ? "up" : number < 0 ? "down" : "");
const clockText = (ms) => new Date(ms).toISOString().slice(11, 19);

function exchangeNow() {
  const { exchange, at, speed } = state.clock;
  return exchange + (performance.now() - at) * (Number.isFinite(speed) ? speed : 0);
}

function percentText(rate, places) {
  return rate === null || rate === undefined ? "–" : `${(Number(rate) * 100).toFixed(places)} %`;
}

// Index and mark have more places than a table has room for: as many as the tick will do.
function atTick(price, tick) {
  if (price === null || price === undefined) return "–";
  return Number(price).toFixed((tick.split(".")[1] ?? "").length);
}

function countdownText(until) {
  const seconds = Math.max(0, Math.floor((until - exchangeNow()) / 1000));
  const part = (number) => String(number).padStart(2, "0");
  return `${part(Math.floor(seconds / 3600))}:${part(Math.floor(seconds / 60) % 60)}:${part(seconds % 60)}`;
}

function kindText(instrument) {
  if (instrument.kind === "spot") return "spot";
  const name = instrument.kind === "inverse" ? "inverse perpetual" : "perpetual";
  return `${name}, margin in ${instrument.settle}, up to ${instrument.max_leverage}x`;
}

// A size in its own unit: an inverse contract is counted, everything else is of its base.
function sizeText(size, instrument) {
  if (size === null || size === undefined) return null;
  return `${size} ${instrument.kind === "inverse" ? "contracts" : instrument.base}`;
}

async function getJson(path) {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`${path}: HTTP ${response.status}`);
  return response.json();
}

// -- what arrives -----------------------------------------------------------------------------

const marketChannels = (symbol) => [`ticker.${symbol}`, `bbo.${symbol}`, `mark.${symbol}`];
const chosenChannels = (symbol) => [`book.${symbol}`, `trades.${symbol}`, `candles.1m.${symbol}`];

function send(op, channels) {
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ id: op, op, channels }));
}

function foldBook(data) {
  if (data.first_id === undefined) {
    state.book = { bids: new Map(data.bids), asks: new Map(data.asks) };
    return;
  }
  if (!state.book) return;
  for (const side of ["bids", "asks"]) {
    for (const [price, qty] of data[side]) {
      if (Number(qty) === 0) state.book[side].delete(price);
      else state.book[side].set(price, qty);
    }
  }
}

function foldCandle(candle) {
  const closes = state.closes;
  const last = closes[closes.length - 1];
  if (last && last.time === candle.open_time) last.close = Number(candle.close);
  else closes.push({ time: candle.open_time, close: Number(candle.close) });
  if (closes.length > 120) closes.shift();
}

function fold(push) {
  const kind = push.ch.slice(0, push.ch.indexOf("."));
  const symbol = push.ch.slice(push.ch.lastIndexOf(".") + 1);
  const data = push.data;
  if (kind === "ticker") state.tickers.set(symbol, data);
  else if (kind === "bbo") state.bbos.set(symbol, data);
  else if (kind === "mark") state.marks.set(symbol, data);
  else if (symbol !== state.chosen) return;
  else if (kind === "book") foldBook(data);
  else if (kind === "candles") foldCandle(data);
  else if (kind === "trades" && data.price !== undefined) {
    state.trades.unshift(data);
    state.trades.length = Math.min(state.trades.length, TRADES);
  }
  state.seq = Math.max(state.seq, push.seq);
  plan();
}

function connect() {
  socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/v1/ws`);
  socket.onopen = () => {
    say("live");
    send("subscribe", state.instruments.flatMap((one) => marketChannels(one.symbol)));
    choose(state.chosen, true);
  };
  socket.onmessage = (event) => {
    const message = JSON.parse(event.data);
    if (message.ch) fold(message);
  };
  socket.onclose = () => {
    say("lost");
    setTimeout(connect, RETRY_MS);
  };
}

function say(connection) {
  document.body.dataset.state = connection;
  byId("state").textContent = connection;
}

async function choose(symbol, anew = false) {
  if (symbol === state.chosen && !anew) return;
  if (state.chosen && !anew) send("unsubscribe", chosenChannels(state.chosen));
  state.chosen = symbol;
  state.book = null;
  state.trades = [];
  state.closes = [];
  history.replaceState(null, "", `#${symbol}`);
  send("subscribe", chosenChannels(symbol));
  plan();
  const [trades, candles] = await Promise.all([
    getJson(`/v1/trades/${symbol}?limit=${TRADES}`),
    getJson(`/v1/candles/${symbol}?interval=1m&limit=120`),
  ]);
  if (symbol !== state.chosen) return;
  const heard = new Set(state.trades.map((trade) => trade.trade_id));
  const older = trades.filter((trade) => !heard.has(trade.trade_id));
  state.trades = [...state.trades, ...older].slice(0, TRADES);
  const newest = state.closes;
  state.closes = candles.map((candle) => ({ time: candle.open_time, close: Number(candle.close) }));
  for (const one of newest) foldCandle({ open_time: one.time, close: one.close });
  plan();
}

// -- drawing ----------------------------------------------------------------------------------

function plan() {
  if (!drawing) drawing = setTimeout(draw, DRAW_MS);
}

function draw() {
  drawing = 0;
  drawRows();
  drawChosen();
  drawChart();
  drawLadder();
  drawTrades();
  document.body.dataset.seq = String(state.seq);
}

function drawRows() {
  const rows = state.instruments.map((instrument) => {
    const symbol = instrument.symbol;
    const ticker = state.tickers.get(symbol);
    const bbo = state.bbos.get(symbol);
    const mark = state.marks.get(symbol);
    const change = Number(ticker?.change_percent ?? 0);
    const row = element("tr");
    row.dataset.symbol = symbol;
    row.setAttribute("aria-selected", String(symbol === state.chosen));
    const name = element("td");
    name.append(element("button", symbol));
    row.append(
      name,
      cell(ticker?.last, "num"),
      cell(ticker?.change_percent ? `${change > 0 ? "+" : ""}${change.toFixed(2)} %` : "–", `num ${direction(change)}`),
      cell(bbo?.bid, "num wide"),
      cell(bbo?.ask, "num wide"),
      cell(atTick(mark?.mark ?? mark?.index, instrument.tick), "num wide"),
      cell(mark?.predicted_rate ? percentText(mark.predicted_rate, 4) : "", "num"),
    );
    return row;
  });
  const focused = document.activeElement?.closest?.("#rows tr")?.dataset.symbol;
  byId("rows").replaceChildren(...rows);
  if (focused) byId("rows").querySelector(`tr[data-symbol="${focused}"] button`)?.focus();
}

function drawChosen() {
  const symbol = state.chosen;
  const instrument = state.instruments.find((one) => one.symbol === symbol);
  if (!instrument) return;
  const ticker = state.tickers.get(symbol);
  const mark = state.marks.get(symbol);
  const perpetual = instrument.kind !== "spot";
  byId("symbol").textContent = symbol;
  byId("kind").textContent = kindText(instrument);
  byId("last").textContent = ticker?.last ?? "–";
  byId("last").className = `last ${direction(Number(ticker?.change ?? 0))}`;
  const facts = [["Index", atTick(mark?.index, instrument.tick)]];
  if (perpetual) {
    facts.push(["Mark", atTick(mark?.mark, instrument.tick)], ["Funding to come", percentText(mark?.predicted_rate, 4)]);
    facts.push(["Funding in", mark?.next_funding ? countdownText(mark.next_funding) : null]);
    facts.push(["Open interest", sizeText(mark?.open_interest, instrument)]);
  }
  facts.push(["24 h high", ticker?.high], ["24 h low", ticker?.low]);
  facts.push(["24 h volume", sizeText(ticker?.volume, instrument)]);
  if (instrument.kind === "inverse") {
    facts.push(["One contract", `${instrument.multiplier} ${instrument.multiplier_asset}`]);
  }
  facts.push(["Tick / lot", `${instrument.tick} / ${instrument.lot}`]);
  byId("facts").replaceChildren(
    ...facts.map(([name, value]) => {
      const pair = element("div");
      pair.append(element("dt", name), element("dd", value ?? "–"));
      return pair;
    }),
  );
}

function drawChart() {
  const closes = state.closes.map((one) => one.close);
  const chart = byId("chart");
  if (closes.length < 2) {
    chart.replaceChildren();
    return;
  }
  const low = Math.min(...closes);
  const span = Math.max(...closes) - low || 1;
  const points = closes.map(
    (close, at) => `${((at * 600) / (closes.length - 1)).toFixed(1)},${(114 - ((close - low) * 108) / span).toFixed(1)}`,
  );
  const shape = (tag, list) => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
    made.setAttribute("points", list.join(" "));
    return made;
  };
  chart.replaceChildren(shape("polygon", ["0,120", ...points, "600,120"]), shape("polyline", points));
}

function bestLevels(side, sign) {
  if (!state.book) return [];
  return [...state.book[side]].sort((a, b) => sign * (Number(a[0]) - Number(b[0]))).slice(0, LEVELS);
}

function drawLadder() {
  const bids = bestLevels("bids", -1);
  const asks = bestLevels("asks", 1);
  const most = Math.max(...[...bids, ...asks].map(([, qty]) => Number(qty)), Number.MIN_VALUE);
  const row = ([price, qty]) => {
    const made = element("tr");
    const amount = cell("", "num");
    const fill = element("span", "", "fill");
    fill.style.width = `${(100 * Number(qty)) / most}%`;
    amount.replaceChildren(fill, element("span", qty, "text"));
    made.append(cell(price, "num"), amount);
    return made;
  };
  byId("asks").replaceChildren(...asks.map(row).reverse());
  byId("bids").replaceChildren(...bids.map(row));
  const gap = bids.length && asks.length ? Number(asks[0][0]) - Number(bids[0][0]) : null;
  byId("spread").textContent = gap === null ? "" : `spread ${Number(gap.toPrecision(6))}`;
}

function drawTrades() {
  byId("trades").replaceChildren(
    ...state.trades.map((trade) => {
      const row = element("tr");
      row.append(
        cell(clockText(trade.time), "quiet"),
        cell(trade.price, `num ${trade.taker_side === "buy" ? "up" : "down"}`),
        cell(trade.qty, "num"),
      );
      return row;
    }),
  );
}

// -- the clock, and how to connect --------------------------------------------------------------

async function readClock() {
  const time = await getJson("/v1/time");
  const speed = time.paused ? 0 : Number(time.speed);
  state.clock = { exchange: time.exchange_time, at: performance.now(), speed };
  byId("speed").textContent = time.paused ? "paused" : time.speed === 1 ? "" : `${time.speed}x`;
}

function showSnippets() {
  const origin = location.origin;
  byId("curl").textContent =
    `curl -X POST ${origin}/v1/accounts\ncurl ${origin}/v1/book/BTC-USDT?limit=5`;
  byId("cli").textContent = [
    "papertape buy BTC-USDT-PERP 0.1 --leverage 10",
    "papertape faucet perp:BTC BTC 1",
    "papertape buy BTC-USD-PERP 10 --leverage 5",
    "papertape positions",
    "papertape terminal",
    "papertape bots run market-maker",
  ].join("\n");
  byId("python").textContent = [
    "from clients.api import Papertape",
    "",
    `async with Papertape("${origin}", key, secret) as pt:`,
    '    await pt.place("BTC-USDT", "buy", "0.1")',
    '    async for event in pt.subscribe("book.BTC-USDT", "fills"):',
    "        print(event.channel, event.data)",
  ].join("\n");
  byId("websocat").textContent = [
    `websocat ${origin.replace(/^http/, "ws")}/v1/ws`,
    '{"id":1,"op":"subscribe","channels":["bbo.BTC-USDT","trades.BTC-USDT-PERP"]}',
  ].join("\n");
}

async function start() {
  showSnippets();
  byId("rows").addEventListener("click", (event) => {
    const row = event.target.closest("tr");
    if (row) choose(row.dataset.symbol).catch(console.error);
  });
  const venue = await getJson("/v1/instruments");
  state.instruments = venue.instruments;
  const asked = decodeURIComponent(location.hash.slice(1));
  const known = state.instruments.some((one) => one.symbol === asked);
  state.chosen = known ? asked : state.instruments[0].symbol;
  await readClock();
  setInterval(() => readClock().catch(() => {}), 10000);
  setInterval(() => {
    byId("time").textContent = `${clockText(exchangeNow())} UTC`;
    drawChosen();
  }, 1000);
  connect();
}

function begin() {
  start().catch(() => {
    say("lost");
    setTimeout(begin, RETRY_MS);
  });
}

begin();
