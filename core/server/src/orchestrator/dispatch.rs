//! Sends committed Commands to their pools; a full pool holds up nobody else.

use std::collections::HashMap;
use std::sync::Arc;

use noetl_bus::Bus;
use noetl_domain::command::Command;
use tokio::sync::mpsc;

#[derive(Debug)]
pub(super) struct Dispatch<B> {
    bus: Arc<B>,
    pools: HashMap<String, mpsc::UnboundedSender<Command>>,
}

impl<B: Bus> Dispatch<B> {
    pub(super) fn new(bus: Arc<B>) -> Self {
        Self { bus, pools: HashMap::new() }
    }

    /// What waits here is bounded by the windows of the loops and the number of running Executions.
    pub(super) fn send(&mut self, command: Command) {
        let pool = command.pool.clone().unwrap_or_default();
        let bus = &self.bus;
        let sender = self.pools.entry(pool).or_insert_with(|| {
            let (sender, mut receiver) = mpsc::unbounded_channel::<Command>();
            let bus = Arc::clone(bus);
            tokio::spawn(async move {
                while let Some(command) = receiver.recv().await {
                    let id = command.id.clone();
                    if let Err(error) = bus.send(command).await {
                        // The log knows the Command; the next start sends it again.
                        tracing::warn!(command = %id, error = %error, "a command could not be sent");
                    }
                }
            });
            sender
        });
        // The receiving task ends only with this sender.
        let _ = sender.send(command);
    }
}
