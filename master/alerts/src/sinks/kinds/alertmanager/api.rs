//! Requests to one Alertmanager.

use std::sync::Arc;

use brine_dial::http::Http;
use serde_json::Value;

use crate::sinks::http::{Answer, Login, Url, ask};

/// One of them.
pub(super) struct Api {
    http: Arc<Http>,
    url: Url,
    login: Login,
}

impl Api {
    pub(super) fn new(http: Arc<Http>, url: Url, login: Login) -> Self {
        Self { http, url, login }
    }

    fn ask(&self, method: &str, path: &str, body: Option<&str>) -> Result<Answer, String> {
        let url = format!("{}{path}", self.url.get()?.trim_end_matches('/'));
        let mut headers: Vec<_> = self.login.header()?.into_iter().collect();
        if body.is_some() {
            headers.push(("Content-Type".into(), "application/json".into()));
        }
        ask(&self.http, method, &url, &headers, body)
    }

    pub(super) fn post(&self, path: &str, body: &Value) -> Result<Answer, String> {
        self.ask("POST", path, Some(&body.to_string()))
    }

    pub(super) fn get(&self, path: &str) -> Result<Answer, String> {
        self.ask("GET", path, None)
    }

    pub(super) fn delete(&self, path: &str) -> Result<Answer, String> {
        self.ask("DELETE", path, None)
    }
}
