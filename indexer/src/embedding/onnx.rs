//! A sentence model in ONNX form, run here.
//!
//! The model wants to be borrowed exclusively and works for milliseconds, so it lives on a thread of its own.

use std::fs;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use fastembed::{InitOptionsUserDefined, Pooling, TextEmbedding, TokenizerFiles, UserDefinedEmbeddingModel};
use ort::environment::Environment;
use tokio::sync::{mpsc, oneshot};

use super::identity::Identity;
use crate::again::chain;

/// Tokens read of one text: failures say what they are at their beginning.
const TOKENS: usize = 128;
/// Texts that go through the model at once. More gain nothing on few cores and are padded to the longest.
const BATCH: usize = 8;

/// What models of this family have in their further files, of which little is read.
const CONFIG: &str = r#"{"pad_token_id": 0}"#;
const TOKENIZER_CONFIG: &str = r#"{"model_max_length": 512, "pad_token": "[PAD]"}"#;

#[derive(Debug, thiserror::Error)]
pub enum LocalError {
    #[error("cannot read {path}")]
    Read {
        path: String,
        #[source]
        source: std::io::Error,
    },
    #[error("{path} cannot be used as ONNX Runtime: {reason}")]
    Library { path: String, reason: String },
    #[error("the model cannot be opened: {0}")]
    Model(String),
    #[error("the model fails: {0}")]
    Run(String),
    #[error("the model's thread has ended")]
    Gone,
}

type Answer = oneshot::Sender<Result<Vec<Vec<f32>>, LocalError>>;

#[derive(Debug)]
pub(super) struct Local {
    identity: Identity,
    orders: mpsc::Sender<(Vec<String>, Answer)>,
}

impl Local {
    /// `model` is a folder with `model.onnx` and `tokenizer.json`; `config.json` and the like are read where they are.
    pub(super) async fn open(library: &Path, model: &Path, threads: usize) -> Result<Self, LocalError> {
        let (library, folder) = (library.to_owned(), model.to_owned());
        let (orders, mut taken) = mpsc::channel::<(Vec<String>, Answer)>(64);
        let (ready, opened) = oneshot::channel();
        let work = move || {
            let mut model = match load(&library, &folder, threads).and_then(measured) {
                Ok((model, dimension)) => {
                    // Nobody waits any more: the next line finds the channel closed.
                    let _ = ready.send(Ok(dimension));
                    model
                }
                Err(error) => {
                    let _ = ready.send(Err(error));
                    return;
                }
            };
            while let Some((texts, answer)) = taken.blocking_recv() {
                if !answer.is_closed() {
                    let _ = answer.send(run(&mut model, &texts));
                }
            }
        };
        let spawned = std::thread::Builder::new().name("embedding".to_owned()).spawn(work);
        spawned.map_err(|error| LocalError::Model(error.to_string()))?;
        let dimension = opened.await.map_err(|_| LocalError::Gone)??;
        Ok(Self { identity: identity(model, dimension), orders })
    }

    pub(super) fn identity(&self) -> &Identity {
        &self.identity
    }

    pub(super) async fn embed(&self, texts: Vec<String>) -> Result<Vec<Vec<f32>>, LocalError> {
        let (answer, answered) = oneshot::channel();
        self.orders.send((texts, answer)).await.map_err(|_| LocalError::Gone)?;
        answered.await.map_err(|_| LocalError::Gone)?
    }
}

/// The folder that setup fills is called after its model and its package's version; any other by its own name.
fn identity(folder: &Path, dimension: usize) -> Identity {
    let name = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    match name.split_once("-int8") {
        Some((model, _)) => Identity::new(model, "int8", dimension),
        None => Identity::new(name, "onnx", dimension),
    }
}

fn load(library: &Path, folder: &Path, threads: usize) -> Result<TextEmbedding, LocalError> {
    let environment = environment(library)?;
    let read = |name: &str| {
        let path = folder.join(name);
        fs::read(&path).map_err(|source| LocalError::Read { path: path.display().to_string(), source })
    };
    let or_usual = |name: &str, usual: &str| match fs::read(folder.join(name)) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(usual.as_bytes().to_owned()),
        _ => read(name),
    };
    let tokenizer = TokenizerFiles {
        tokenizer_file: read("tokenizer.json")?,
        config_file: or_usual("config.json", CONFIG)?,
        special_tokens_map_file: or_usual("special_tokens_map.json", "{}")?,
        tokenizer_config_file: or_usual("tokenizer_config.json", TOKENIZER_CONFIG)?,
    };
    let model = UserDefinedEmbeddingModel::new(read("model.onnx")?, tokenizer).with_pooling(Pooling::Mean);
    let options = InitOptionsUserDefined::new()
        .with_environment(environment)
        .with_max_length(TOKENS)
        .with_intra_threads(threads.max(1))
        // Idle threads that spin would take the cores of the runs.
        .with_session_config("session.intra_op.allow_spinning", "0");
    TextEmbedding::try_new_from_user_defined(model, options).map_err(|error| LocalError::Model(chain(&error)))
}

/// ONNX Runtime, loaded once: a process can have one environment, of the library that came first.
fn environment(library: &Path) -> Result<Environment, LocalError> {
    static LOADED: Mutex<Option<Environment>> = Mutex::new(None);
    let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(environment) = &*loaded {
        return Ok(environment.clone());
    }
    // Without this, a library that is missing or too old is a panic at the first use.
    let environment = ort::init_from(library)
        .map_err(|error| LocalError::Library { path: library.display().to_string(), reason: chain(&error) })?
        .build()
        .map_err(|error| LocalError::Model(error.to_string()))?;
    *loaded = Some(environment.clone());
    Ok(environment)
}

/// The model and how long its vectors are.
fn measured(mut model: TextEmbedding) -> Result<(TextEmbedding, usize), LocalError> {
    let vectors = run(&mut model, &["a".to_owned()])?;
    let dimension = vectors.first().map_or(0, Vec::len);
    Ok((model, dimension))
}

/// Texts of like length go together, so that little is computed for padding.
fn run(model: &mut TextEmbedding, texts: &[String]) -> Result<Vec<Vec<f32>>, LocalError> {
    let mut order: Vec<usize> = (0..texts.len()).collect();
    order.sort_by_key(|at| texts[*at].len());
    let sorted: Vec<&str> = order.iter().map(|at| texts[*at].as_str()).collect();
    let made = model.embed(&sorted, Some(BATCH)).map_err(|error| LocalError::Run(chain(&error)))?;
    let mut vectors = vec![Vec::new(); texts.len()];
    for (at, vector) in order.into_iter().zip(made) {
        vectors[at] = vector;
    }
    Ok(vectors)
}
