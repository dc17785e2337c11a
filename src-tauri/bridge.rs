//! The API over the window's own messages. It carries requests and sockets to the daemon and reads none of them; anything
//! that is not the API is refused before it leaves.

mod address;
mod frames;
mod pump;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use clauderon_api::Error;
use clauderon_api::client::{Carried, Said};
use futures_util::{StreamExt, stream};
use tauri::State;
use tauri::ipc::{Channel, InvokeBody, InvokeResponseBody, Request, Response};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::engine::Engine;
use frames::Frame;
use pump::Pump;

/// How many pieces of an upload or keystrokes wait for the daemon before the page does.
const WAITING: usize = 8;

/// What is open between the page and the daemon.
#[derive(Debug, Default)]
pub struct Open {
    next: AtomicU32,
    sockets: Mutex<HashMap<u32, Conversation>>,
}

#[derive(Debug, Clone)]
struct Conversation {
    input: mpsc::Sender<Said>,
    stop: CancellationToken,
}

impl Open {
    fn start(&self) -> (u32, mpsc::Receiver<Said>, CancellationToken) {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let (input, inputs) = mpsc::channel(WAITING);
        let stop = CancellationToken::new();
        let conversation = Conversation {
            input,
            stop: stop.clone(),
        };
        self.sockets().insert(id, conversation);
        (id, inputs, stop)
    }

    fn get(&self, id: u32) -> Option<Conversation> {
        self.sockets().get(&id).cloned()
    }

    fn end(&self, id: u32) {
        if let Some(conversation) = self.sockets().remove(&id) {
            conversation.stop.cancel();
        }
    }

    /// Ends everything: the page that opened it is gone.
    pub fn clear(&self) {
        for (_, conversation) in self.sockets().drain() {
            conversation.stop.cancel();
        }
    }

    fn sockets(&self) -> MutexGuard<'_, HashMap<u32, Conversation>> {
        self.sockets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Asks the API once. The answer is packed by [`frames::answer`].
#[tauri::command]
pub async fn api_request(
    engine: State<'_, Engine>,
    method: String,
    path: String,
    body: Option<serde_json::Value>,
) -> Result<Response, Error> {
    let carried = ask(&engine, &method, &path, body).await?;
    packed(carried).await
}

/// Asks the API and hands over the answer as it comes. Returns a number that [`socket_close`] takes.
#[tauri::command]
pub async fn api_stream(
    app: tauri::AppHandle,
    engine: State<'_, Engine>,
    open: State<'_, Open>,
    method: String,
    path: String,
    body: Option<serde_json::Value>,
    channel: Channel<InvokeResponseBody>,
) -> Result<u32, Error> {
    let mut carried = ask(&engine, &method, &path, body).await?;
    let (id, _, stop) = open.start();
    tauri::async_runtime::spawn(async move {
        let mut pump = Pump::new(channel);
        pump.push(Frame::Status(carried.status.as_u16()));
        loop {
            let chunk = tokio::select! {
                () = stop.cancelled() => break,
                chunk = carried.body.next() => chunk,
                () = pump.due() => { pump.flush(); continue }
            };
            match chunk {
                Some(Ok(bytes)) => pump.push(Frame::Binary(&bytes)),
                Some(Err(error)) => {
                    pump.push(Frame::Close(&error.message));
                    break;
                }
                None => {
                    pump.push(Frame::Close(""));
                    break;
                }
            }
        }
        pump.flush();
        forget(&app, id);
    });
    Ok(id)
}

/// Opens a WebSocket of the API. Its messages arrive on `channel` as [`frames`].
#[tauri::command]
pub async fn socket_open(
    app: tauri::AppHandle,
    engine: State<'_, Engine>,
    open: State<'_, Open>,
    path: String,
    channel: Channel<InvokeResponseBody>,
) -> Result<u32, Error> {
    let path = address::socket(&path)?;
    let mut socket = engine.client().await?.open_socket(&path).await?;
    let (id, mut inputs, stop) = open.start();
    tauri::async_runtime::spawn(async move {
        let mut pump = Pump::new(channel);
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                () = pump.due() => pump.flush(),
                Some(said) = inputs.recv() => {
                    if let Err(error) = socket.send(said).await {
                        pump.push(Frame::Close(&error.message));
                        break;
                    }
                }
                said = socket.next() => match said {
                    Ok(Some(Said::Text(text))) => pump.push(Frame::Text(&text)),
                    Ok(Some(Said::Binary(bytes))) => pump.push(Frame::Binary(&bytes)),
                    Ok(None) => {
                        pump.push(Frame::Close(""));
                        break;
                    }
                    Err(error) => {
                        pump.push(Frame::Close(&error.message));
                        break;
                    }
                }
            }
        }
        pump.flush();
        forget(&app, id);
    });
    Ok(id)
}

/// Says something on a WebSocket. The body is packed as [`frames`]; the page sends one batch at a time, so that keys keep
/// their order.
#[tauri::command]
pub async fn socket_send(open: State<'_, Open>, request: Request<'_>) -> Result<(), Error> {
    let id = number(&request)?;
    let body = bytes_of(&request)?;
    let Some(conversation) = open.get(id) else {
        return Err(Error::not_found("This connection was closed."));
    };
    for said in frames::unpack(&body)? {
        // It is closing; the page hears of that on its channel.
        if conversation.input.send(said).await.is_err() {
            break;
        }
    }
    Ok(())
}

/// Closes a WebSocket, a stream or an upload.
#[tauri::command]
pub fn socket_close(open: State<'_, Open>, id: u32) {
    open.end(id);
}

/// Begins an upload: [`socket_send`] brings its pieces, [`upload_end`] waits for the answer.
#[tauri::command]
pub async fn upload_open(
    engine: State<'_, Engine>,
    uploads: State<'_, Uploads>,
    open: State<'_, Open>,
    path: String,
) -> Result<u32, Error> {
    let path = address::request("POST", &path)?;
    let client = engine.client().await?;
    let (id, inputs, stop) = open.start();
    let body = stream::unfold(inputs, |mut inputs| async move {
        match inputs.recv().await? {
            Said::Binary(bytes) => Some((bytes, inputs)),
            Said::Text(_) => None,
        }
    });
    let task = tauri::async_runtime::spawn(async move {
        let sent = client.carry(
            path.method,
            &path.target,
            Some("application/octet-stream"),
            body,
        );
        tokio::select! {
            () = stop.cancelled() => Err(Error::failed("The upload was stopped.")),
            answer = sent => packed_bytes(answer?).await,
        }
    });
    uploads.lock().insert(id, task);
    Ok(id)
}

/// Says that an upload is whole, and returns the answer to it.
#[tauri::command]
pub async fn upload_end(
    uploads: State<'_, Uploads>,
    open: State<'_, Open>,
    id: u32,
) -> Result<Response, Error> {
    let task = uploads.lock().remove(&id);
    let (Some(task), Some(conversation)) = (task, open.get(id)) else {
        return Err(Error::not_found("There is no such upload."));
    };
    // It has failed already; the answer says how.
    let _ = conversation.input.send(Said::Text(String::new())).await;
    let answer = task
        .await
        .map_err(|_| Error::failed("The upload broke off."))?;
    open.end(id);
    Ok(Response::new(answer?))
}

/// An upload under way, and in the end its packed answer.
type Upload = tauri::async_runtime::JoinHandle<Result<Vec<u8>, Error>>;

/// Uploads whose answer nobody has fetched yet.
#[derive(Debug, Default)]
pub struct Uploads(Mutex<HashMap<u32, Upload>>);

impl Uploads {
    fn lock(&self) -> MutexGuard<'_, HashMap<u32, Upload>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn ask(
    engine: &Engine,
    method: &str,
    path: &str,
    body: Option<serde_json::Value>,
) -> Result<Carried, Error> {
    let path = address::request(method, path)?;
    let client = engine.client().await?;
    let json = body.map(|body| Bytes::from(body.to_string()));
    let media_type = json.as_ref().map(|_| "application/json");
    client
        .carry(path.method, &path.target, media_type, stream::iter(json))
        .await
}

async fn packed(carried: Carried) -> Result<Response, Error> {
    packed_bytes(carried).await.map(Response::new)
}

async fn packed_bytes(mut carried: Carried) -> Result<Vec<u8>, Error> {
    let mut answer = frames::answer(carried.status.as_u16(), &carried.media_type);
    while let Some(chunk) = carried.body.next().await {
        answer.extend_from_slice(&chunk?);
    }
    Ok(answer)
}

fn forget(app: &tauri::AppHandle, id: u32) {
    use tauri::Manager as _;
    app.state::<Open>().end(id);
}

fn number(request: &Request<'_>) -> Result<u32, Error> {
    request
        .headers()
        .get("id")
        .and_then(|id| id.to_str().ok()?.parse().ok())
        .ok_or_else(|| Error::usage("The connection's number is missing."))
}

/// Older web views cannot send raw bytes and send a list of numbers instead.
fn bytes_of(request: &Request<'_>) -> Result<Bytes, Error> {
    match request.body() {
        InvokeBody::Raw(bytes) => Ok(Bytes::copy_from_slice(bytes)),
        InvokeBody::Json(list) => serde_json::from_value::<Vec<u8>>(list.clone())
            .map(Bytes::from)
            .map_err(|_| Error::usage("The message is not bytes.")),
    }
}
