//! A broker inside the process, for the demo and for tests.
//!
//! `rmqtt` with its retained store handed in, on loopback only. It lives as long as the
//! [`Broker`]: then its listener closes, and its connections end with their clients.

use anyhow::Context;
use async_trait::async_trait;
use rmqtt::context::ServerContext;
use rmqtt::net::Builder;
use rmqtt::retain::{DefaultRetainStorage, RetainStorage};
use rmqtt::server::MqttServer;
use rmqtt::types::{Retain, TopicFilter, TopicName};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::task::JoinHandle;

/// Messages that may be under way to one client: a hub of six offices gets them in bursts.
const MAX_INFLIGHT: std::num::NonZeroU16 = std::num::NonZeroU16::new(64).expect("64 is not zero");

/// Messages that wait for one client.
const MAX_QUEUE: usize = 10_000;

/// Tasks the broker runs at once; its default of 2000 is for many thousands of clients.
const WORKERS: usize = 64;

/// A running broker.
#[derive(Debug)]
pub struct Broker {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Broker {
    /// Starts a broker; port 0 is any.
    ///
    /// # Errors
    /// When the address is not a loopback one or cannot be listened on.
    pub async fn start(listen: SocketAddr) -> anyhow::Result<Self> {
        anyhow::ensure!(
            listen.ip().is_loopback(),
            "broker address {listen}: expected a loopback one, the demo's broker asks nobody for a password"
        );
        let context = ServerContext::new()
            .task_exec_workers(WORKERS)
            .build()
            .await;
        *context.extends.retain_mut().await = Box::new(Retained(DefaultRetainStorage::new()));
        let listener = Builder::new()
            .name("demo")
            .laddr(listen)
            .nodelay(true)
            .max_inflight(MAX_INFLIGHT)
            .max_mqueue_len(MAX_QUEUE)
            .bind()
            .and_then(|listener| listener.tcp())
            .map_err(|e| anyhow::anyhow!("{e:#}"))
            .with_context(|| format!("cannot listen on {listen} for MQTT"))?;
        let address = listener
            .local_addr()
            .map_err(|e| anyhow::anyhow!("{e:#}"))
            .context("a listener without address")?;
        let server = MqttServer::new(context)
            .listener_by_id(listener, address.port())
            .build();
        let task = tokio::spawn(async move {
            if let Err(error) = server.run().await {
                tracing::error!("the demo's broker ended: {error:#}");
            }
        });
        Ok(Self { address, task })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The broker's own store of retained messages, which it does not use unless asked to.
struct Retained(DefaultRetainStorage);

#[async_trait]
impl RetainStorage for Retained {
    fn enable(&self) -> bool {
        true
    }

    async fn set(
        &self,
        topic: &TopicName,
        retain: Retain,
        expiry: Option<Duration>,
    ) -> rmqtt::Result<()> {
        self.0.set_with_timeout(topic, retain, expiry).await
    }

    async fn get(&self, filter: &TopicFilter) -> rmqtt::Result<Vec<(TopicName, Retain)>> {
        self.0.get_message(filter).await
    }

    async fn count(&self) -> isize {
        self.0.count().await
    }

    async fn max(&self) -> isize {
        self.0.max().await
    }
}
