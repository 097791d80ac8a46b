//! Looking into a running browser as its DevTools do: the memory of a page and of its worker, and the
//! clock its worker sees. Must not know what is looked for.
//!
//! WebDriver speaks to the page alone; the worker, where the keys are, is reached by the DevTools
//! protocol's own sessions over one WebSocket.

use crate::browser::{Browser, PATIENCE};
use anyhow::{Context, Result, bail};
use futures::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

/// How much of a memory is fetched at once, in bytes.
const PIECE: usize = 4 << 20;

/// A connection to one browser.
pub struct DevTools {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    next: u64,
    /// What the browser told unasked since it was last looked at.
    told: Vec<Value>,
}

/// A page or a worker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    session: String,
}

impl DevTools {
    /// Connects.
    ///
    /// # Errors
    /// When the browser does not answer.
    pub async fn connect(browser: &Browser) -> Result<Self> {
        let (socket, _) = tokio_tungstenite::connect_async(browser.devtools()?).await?;
        Ok(Self {
            socket,
            next: 1,
            told: Vec::new(),
        })
    }

    /// The tab of this WebDriver handle.
    ///
    /// # Errors
    /// When there is none.
    pub async fn page(&mut self, handle: &str) -> Result<Place> {
        let params = json!({ "targetId": handle, "flatten": true });
        let answer = self.call(None, "Target.attachToTarget", params).await?;
        let session = answer["sessionId"].as_str().context("no session")?;
        Ok(Place {
            session: session.to_owned(),
        })
    }

    /// The workers of a page, as it has them now.
    ///
    /// # Errors
    /// When the browser does not answer.
    pub async fn workers(&mut self, page: &Place) -> Result<Vec<Place>> {
        // Asked anew, it tells of all there are.
        for on in [false, true] {
            self.told.clear();
            let params = json!({
                "autoAttach": on, "waitForDebuggerOnStart": false, "flatten": true
            });
            self.call(Some(page), "Target.setAutoAttach", params)
                .await?;
        }
        let workers = self.told.iter().filter_map(|event| {
            let told = &event["params"];
            let is_worker = event["method"] == "Target.attachedToTarget"
                && event["sessionId"] == page.session.as_str()
                && told["targetInfo"]["type"] == "worker";
            let session = told["sessionId"].as_str().filter(|_| is_worker)?;
            Some(Place {
                session: session.to_owned(),
            })
        });
        Ok(workers.collect())
    }

    /// The one worker of a page, waited for.
    ///
    /// # Errors
    /// When there is none in time, or more than one.
    pub async fn worker(&mut self, page: &Place) -> Result<Place> {
        let started = std::time::Instant::now();
        loop {
            match self.workers(page).await?.as_slice() {
                [worker] => return Ok(worker.clone()),
                more if !more.is_empty() => bail!("{} workers", more.len()),
                _ if started.elapsed() > PATIENCE => bail!("no worker"),
                _ => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    }

    /// What an expression of JavaScript gives in a place, its promise awaited.
    ///
    /// # Errors
    /// When it throws.
    pub async fn evaluate(&mut self, place: &Place, expression: &str) -> Result<Value> {
        let params = json!({
            "expression": expression, "awaitPromise": true, "returnByValue": true
        });
        let answer = self.call(Some(place), "Runtime.evaluate", params).await?;
        thrown(&answer)?;
        Ok(answer["result"]["value"].clone())
    }

    /// Puts the clock that a place sees forward, to so many milliseconds ahead of the real one, or back:
    /// what a program sees whose machine slept for as long.
    ///
    /// # Errors
    /// When the place does not take it.
    pub async fn set_ahead(&mut self, place: &Place, ms: i64) -> Result<()> {
        self.shift(place, "Date", ms).await
    }

    /// The same with the clock that nobody sets, and that sleeping may stop.
    ///
    /// # Errors
    /// When the place does not take it.
    pub async fn set_steady_ahead(&mut self, place: &Place, ms: i64) -> Result<()> {
        self.shift(place, "performance", ms).await
    }

    async fn shift(&mut self, place: &Place, clock: &str, ms: i64) -> Result<()> {
        let expression = format!(
            "{{ const now = {clock}.real ??= {clock}.now;
                {clock}.now = () => now.call({clock}) + {ms}; }}"
        );
        self.evaluate(place, &expression).await.map(drop)
    }

    /// Every byte of WebAssembly's memories and of all other buffers of a place, one after the other.
    /// Garbage is collected before.
    ///
    /// # Errors
    /// When the browser does not answer.
    pub async fn memory(&mut self, place: &Place) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let small = "Object.getPrototypeOf(Uint8Array)";
        for kind in ["WebAssembly.Memory", "ArrayBuffer", small] {
            self.add_memory(place, kind, &mut bytes).await?;
        }
        Ok(bytes)
    }

    async fn add_memory(&mut self, place: &Place, kind: &str, bytes: &mut Vec<u8>) -> Result<()> {
        let params = json!({ "expression": format!("{kind}.prototype"), "objectGroup": "memory" });
        let answer = self.call(Some(place), "Runtime.evaluate", params).await?;
        let prototype = answer["result"]["objectId"].clone();
        let params = json!({ "prototypeObjectId": prototype, "objectGroup": "memory" });
        let answer = self
            .call(Some(place), "Runtime.queryObjects", params)
            .await?;
        let all = answer["objects"]["objectId"].clone();
        // The bytes of a small array lie in itself, without a buffer; those of others in theirs.
        let lengths = "function() {
            return this.map((m) => {
                if (ArrayBuffer.isView(m)) return m.byteLength > 64 ? 0 : m.byteLength;
                if (m instanceof WebAssembly.Memory) return m.buffer.byteLength;
                // What else is found is a prototype.
                return m instanceof ArrayBuffer ? m.byteLength : 0;
            });
        }";
        let lengths = self.of(place, &all, lengths, &[]).await?;
        let lengths: Vec<usize> = serde_json::from_value(lengths)?;
        for (which, length) in lengths.into_iter().enumerate() {
            for from in (0..length).step_by(PIECE) {
                let piece = "function(which, from, length) {
                    const m = this[which];
                    const at = (ArrayBuffer.isView(m) ? m.byteOffset : 0) + from;
                    return new Uint8Array(m.buffer ?? m, at, length).toHex();
                }";
                let arguments = [which, from, PIECE.min(length - from)];
                let text = self.of(place, &all, piece, &arguments).await?;
                bytes.extend(hex::decode(text.as_str().context("no text")?)?);
            }
        }
        let params = json!({ "objectGroup": "memory" });
        self.call(Some(place), "Runtime.releaseObjectGroup", params)
            .await?;
        Ok(())
    }

    /// What the JavaScript heap of a place holds, as the heap snapshot writes it: all strings are in
    /// it. Garbage is collected before.
    ///
    /// # Errors
    /// When the browser does not answer.
    pub async fn heap(&mut self, place: &Place) -> Result<String> {
        self.told.clear();
        let params = json!({ "reportProgress": false });
        self.call(Some(place), "HeapProfiler.takeHeapSnapshot", params)
            .await?;
        let chunks = self.told.iter().filter(|event| {
            event["method"] == "HeapProfiler.addHeapSnapshotChunk"
                && event["sessionId"] == place.session.as_str()
        });
        let heap: String = chunks
            .filter_map(|event| event["params"]["chunk"].as_str())
            .collect();
        self.told.clear();
        Ok(heap)
    }

    async fn of(
        &mut self,
        place: &Place,
        object: &Value,
        function: &str,
        arguments: &[usize],
    ) -> Result<Value> {
        let arguments: Vec<Value> = arguments.iter().map(|a| json!({ "value": a })).collect();
        let params = json!({
            "functionDeclaration": function, "objectId": object, "arguments": arguments,
            "returnByValue": true
        });
        let answer = self
            .call(Some(place), "Runtime.callFunctionOn", params)
            .await?;
        thrown(&answer)?;
        Ok(answer["result"]["value"].clone())
    }

    /// Calls a method of the protocol.
    ///
    /// # Errors
    /// When the browser refuses it or is gone.
    pub async fn call(
        &mut self,
        place: Option<&Place>,
        method: &str,
        params: Value,
    ) -> Result<Value> {
        let id = self.next;
        self.next += 1;
        let mut request = json!({ "id": id, "method": method, "params": params });
        if let Some(place) = place {
            request["sessionId"] = json!(place.session);
        }
        let text = request.to_string();
        self.socket.send(Message::text(text)).await?;
        loop {
            let next = tokio::time::timeout(PATIENCE, self.socket.next());
            let message = next
                .await
                .with_context(|| method.to_owned())?
                .context("the browser is gone")??;
            let Message::Text(text) = message else {
                continue;
            };
            let mut answer: Value = serde_json::from_str(&text)?;
            if answer["id"] != id {
                self.told.push(answer);
            } else if answer["error"].is_null() {
                return Ok(answer["result"].take());
            } else {
                bail!("{method}: {}", answer["error"]);
            }
        }
    }
}

fn thrown(answer: &Value) -> Result<()> {
    match &answer["exceptionDetails"] {
        Value::Null => Ok(()),
        thrown => bail!("the browser threw {thrown}"),
    }
}
