//! The calls of the protocol, each taken apart, done and answered.
//!
//! Failures are told as diagnostics, never as gRPC errors: those mean to Terraform that the provider is
//! broken. The one exception is a crash, where there is no answer at all.
//!
//! Easy to get wrong: calls run side by side on one thread. The cloud is locked for what takes no time,
//! and never while a call waits.

use std::sync::Arc;

use tokio::sync::Notify;
use tonic::{Request, Response, Status};

use super::cloud::{Cloud, Step};
use super::lifecycle;
use super::protocol::health::health_check_response::ServingStatus;
use super::protocol::health::{HealthCheckRequest, HealthCheckResponse, health_server};
use super::protocol::tfplugin6::attribute_path::{self, step::Selector};
use super::protocol::tfplugin6::{
    ApplyResourceChangeRequest, ApplyResourceChangeResponse, AttributePath,
    CloseEphemeralResourceRequest, CloseEphemeralResourceResponse, ConfigureProviderRequest,
    ConfigureProviderResponse, Diagnostic, GetFunctionsRequest, GetFunctionsResponse,
    GetProviderSchemaRequest, GetProviderSchemaResponse, ImportResourceStateRequest,
    ImportResourceStateResponse, ImportedResource, OpenEphemeralResourceRequest,
    OpenEphemeralResourceResponse, PlanResourceChangeRequest, PlanResourceChangeResponse,
    ReadDataSourceRequest, ReadDataSourceResponse, ReadResourceRequest, ReadResourceResponse,
    StopProviderRequest, StopProviderResponse, UpgradeResourceStateRequest,
    UpgradeResourceStateResponse, ValidateDataResourceConfigRequest,
    ValidateDataResourceConfigResponse, ValidateEphemeralResourceConfigRequest,
    ValidateEphemeralResourceConfigResponse, ValidateProviderConfigRequest,
    ValidateProviderConfigResponse, ValidateResourceConfigRequest, ValidateResourceConfigResponse,
    provider_server,
};
use super::protocol::{dynamic, error, json, object};
use super::resource::{Resource, Trouble};
use super::resources;
use super::schema::{Attribute, Schema, Shape};
use super::sources::{self, Source};
use super::value::{Attributes, Value};

/// What a call answers.
type Answer<T> = Result<Response<T>, Status>;

/// The health of the provider, which is always good.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Health;

#[tonic::async_trait]
impl health_server::Health for Health {
    async fn check(&self, _request: Request<HealthCheckRequest>) -> Answer<HealthCheckResponse> {
        Ok(Response::new(HealthCheckResponse { status: ServingStatus::Serving.into() }))
    }
}

/// The provider as Terraform sees it.
#[derive(Debug)]
pub(crate) struct Service {
    /// What it manages.
    cloud: Cloud,
    /// Rung when it shall die.
    crash: Arc<Notify>,
    /// Rung when Terraform was interrupted.
    hurry: Notify,
}

impl Service {
    /// Makes a provider of a cloud; `crash` is rung for whoever can end it.
    pub(crate) fn new(cloud: Cloud, crash: Arc<Notify>) -> Self {
        Self { cloud, crash, hurry: Notify::new() }
    }

    /// Begins a step: writes it down, takes the time it takes, and says whether it is to be reported as
    /// failed although it is done.
    ///
    /// # Errors
    /// If the step is to fail before anything is done.
    async fn begin(
        &self,
        resource: &dyn Resource,
        step: Step,
        attributes: &Attributes,
    ) -> Result<Option<Diagnostic>, Diagnostic> {
        let kind = resource.name();
        let id = attributes.get("id").and_then(Value::as_text);
        let shall_fail = self.cloud.lock().record(step, kind, id);
        self.cloud.wait_for_release(step).await;
        let pause = resource.pause(step, attributes);
        if pause.can_be_cut_short {
            tokio::select! {
                () = tokio::time::sleep(pause.duration) => {}
                () = self.hurry.notified() => {
                    return Err(error(format!("{kind}: {step:?} was interrupted")));
                }
            }
        } else {
            tokio::time::sleep(pause.duration).await;
        }
        let failure = error(format!("{kind}: {step:?} failed"));
        if shall_fail {
            return Err(failure);
        }
        match resource.trouble(step, attributes) {
            None => Ok(None),
            Some(Trouble::Refused) => Err(failure),
            Some(Trouble::Halfway) => Ok(Some(failure)),
            Some(Trouble::Crash) => {
                self.crash.notify_waiters();
                std::future::pending().await
            }
        }
    }

    /// Carries out a planned change; returns what there is afterwards and what went wrong with it.
    ///
    /// # Errors
    /// If nothing was done.
    async fn change(
        &self,
        resource: &dyn Resource,
        prior: Option<&Attributes>,
        planned: Option<Attributes>,
        config: &Attributes,
    ) -> Result<(Option<Attributes>, Option<Diagnostic>), Diagnostic> {
        let Some(planned) = planned else {
            let prior = prior.cloned().unwrap_or_default();
            let late = self.begin(resource, Step::Delete, &prior).await?;
            self.cloud.lock().delete(prior["id"].as_text().unwrap_or_default());
            return Ok((None, late));
        };
        let step = if prior.is_some() { Step::Update } else { Step::Create };
        let late = self.begin(resource, step, &planned).await?;
        let written = lifecycle::write(resource, &mut self.cloud.lock(), planned, config);
        Ok((Some(written), late))
    }
}

#[tonic::async_trait]
impl provider_server::Provider for Service {
    async fn get_provider_schema(
        &self,
        _request: Request<GetProviderSchemaRequest>,
    ) -> Answer<GetProviderSchemaResponse> {
        let of_source = |source: &Source| (source.name().to_owned(), source.schema().message());
        let of_resource =
            |resource: &&dyn Resource| (resource.name().to_owned(), resource.schema().message());
        let token = Attribute::optional("token", Shape::Text, "Not looked at.").sensitive();
        Ok(Response::new(GetProviderSchemaResponse {
            provider: Some(Schema::new("A cloud in memory.", [token]).message()),
            resource_schemas: resources::ALL.iter().map(of_resource).collect(),
            data_source_schemas: sources::DATA.iter().map(of_source).collect(),
            ephemeral_resource_schemas: sources::EPHEMERAL.iter().map(of_source).collect(),
        }))
    }

    async fn validate_provider_config(
        &self,
        _request: Request<ValidateProviderConfigRequest>,
    ) -> Answer<ValidateProviderConfigResponse> {
        Ok(Response::new(ValidateProviderConfigResponse {}))
    }

    async fn configure_provider(
        &self,
        _request: Request<ConfigureProviderRequest>,
    ) -> Answer<ConfigureProviderResponse> {
        Ok(Response::new(ConfigureProviderResponse {}))
    }

    async fn stop_provider(
        &self,
        _request: Request<StopProviderRequest>,
    ) -> Answer<StopProviderResponse> {
        self.cloud.lock().record(Step::Stop, "", None);
        self.hurry.notify_waiters();
        Ok(Response::new(StopProviderResponse {}))
    }

    async fn get_functions(
        &self,
        _request: Request<GetFunctionsRequest>,
    ) -> Answer<GetFunctionsResponse> {
        Ok(Response::new(GetFunctionsResponse {}))
    }

    async fn validate_resource_config(
        &self,
        request: Request<ValidateResourceConfigRequest>,
    ) -> Answer<ValidateResourceConfigResponse> {
        let request = request.into_inner();
        let resource = resource(&request.type_name)?;
        let config = object(request.config).unwrap_or_default();
        let may_write_only =
            request.client_capabilities.unwrap_or_default().write_only_attributes_allowed;
        let is_given = |name: &str| config.get(name).is_some_and(|value| *value != Value::Null);
        let kept = resource.schema().write_only().any(is_given) && !may_write_only;
        let too_old = kept.then_some("This Terraform would keep what is write-only.");
        let complaints = resource.complaint(&config).into_iter().chain(too_old);
        let diagnostics = complaints.map(error).collect();
        Ok(Response::new(ValidateResourceConfigResponse { diagnostics }))
    }

    async fn upgrade_resource_state(
        &self,
        request: Request<UpgradeResourceStateRequest>,
    ) -> Answer<UpgradeResourceStateResponse> {
        let request = request.into_inner();
        let resource = resource(&request.type_name)?;
        let Value::Map(stored) = json(&request.raw_state.unwrap_or_default().json) else {
            return Err(Status::invalid_argument("a stored object is an object"));
        };
        let upgraded_state = Some(dynamic(resource.schema().complete(stored)));
        let diagnostics = Vec::new();
        Ok(Response::new(UpgradeResourceStateResponse { upgraded_state, diagnostics }))
    }

    async fn read_resource(
        &self,
        request: Request<ReadResourceRequest>,
    ) -> Answer<ReadResourceResponse> {
        let request = request.into_inner();
        let resource = resource(&request.type_name)?;
        let current = object(request.current_state).unwrap_or_default();
        let (found, diagnostics) = match self.begin(resource, Step::Read, &current).await {
            Ok(late) => {
                let id = current["id"].as_text().unwrap_or_default();
                let found = lifecycle::read(resource, &mut self.cloud.lock(), id);
                (found, late.into_iter().collect())
            }
            Err(failure) => (Some(current), vec![failure]),
        };
        let new_state = Some(dynamic(found));
        Ok(Response::new(ReadResourceResponse { new_state, diagnostics }))
    }

    async fn plan_resource_change(
        &self,
        request: Request<PlanResourceChangeRequest>,
    ) -> Answer<PlanResourceChangeResponse> {
        let request = request.into_inner();
        let resource = resource(&request.type_name)?;
        let mut response = PlanResourceChangeResponse {
            legacy_type_system: resource.is_legacy(),
            planned_state: request.prior_state.clone(),
            ..PlanResourceChangeResponse::default()
        };
        let prior = object(request.prior_state);
        let Some(proposed) = object(request.proposed_new_state) else {
            response.planned_state = Some(dynamic(None));
            return Ok(Response::new(response));
        };
        match self.begin(resource, Step::Plan, &proposed).await {
            Ok(late) => {
                let planned = lifecycle::plan(resource, &self.cloud.lock(), prior, proposed);
                response.planned_state = Some(dynamic(planned.attributes));
                response.requires_replace = planned.replacing.into_iter().map(path).collect();
                response.diagnostics.extend(late);
            }
            Err(failure) => response.diagnostics.push(failure),
        }
        Ok(Response::new(response))
    }

    async fn apply_resource_change(
        &self,
        request: Request<ApplyResourceChangeRequest>,
    ) -> Answer<ApplyResourceChangeResponse> {
        let request = request.into_inner();
        let resource = resource(&request.type_name)?;
        let prior = object(request.prior_state);
        let planned = object(request.planned_state);
        let config = object(request.config).unwrap_or_default();
        let (now, diagnostic) = match self.change(resource, prior.as_ref(), planned, &config).await
        {
            Ok(done) => done,
            Err(failure) => (prior, Some(failure)),
        };
        Ok(Response::new(ApplyResourceChangeResponse {
            new_state: Some(dynamic(now)),
            diagnostics: diagnostic.into_iter().collect(),
            legacy_type_system: resource.is_legacy(),
        }))
    }

    async fn import_resource_state(
        &self,
        request: Request<ImportResourceStateRequest>,
    ) -> Answer<ImportResourceStateResponse> {
        let request = request.into_inner();
        let resource = resource(&request.type_name)?;
        let named = Attributes::from([("id".to_owned(), request.id.as_str().into())]);
        let mut response = ImportResourceStateResponse::default();
        if let Err(failure) = self.begin(resource, Step::Import, &named).await {
            response.diagnostics.push(failure);
            return Ok(Response::new(response));
        }
        match self.cloud.lock().find(resource.name(), &request.id) {
            Some(found) => {
                response.imported_resources.push(ImportedResource {
                    type_name: request.type_name,
                    state: Some(dynamic(resource.schema().complete(found.clone()))),
                });
            }
            None => response.diagnostics.push(error("There is no such object to import.")),
        }
        Ok(Response::new(response))
    }

    async fn validate_data_resource_config(
        &self,
        _request: Request<ValidateDataResourceConfigRequest>,
    ) -> Answer<ValidateDataResourceConfigResponse> {
        Ok(Response::new(ValidateDataResourceConfigResponse {}))
    }

    async fn read_data_source(
        &self,
        request: Request<ReadDataSourceRequest>,
    ) -> Answer<ReadDataSourceResponse> {
        let request = request.into_inner();
        let config = object(request.config).unwrap_or_default();
        let (state, diagnostics) =
            self.look_up(&sources::DATA, &request.type_name, Step::Lookup, config)?;
        Ok(Response::new(ReadDataSourceResponse { state: Some(dynamic(state)), diagnostics }))
    }

    async fn validate_ephemeral_resource_config(
        &self,
        _request: Request<ValidateEphemeralResourceConfigRequest>,
    ) -> Answer<ValidateEphemeralResourceConfigResponse> {
        Ok(Response::new(ValidateEphemeralResourceConfigResponse {}))
    }

    async fn open_ephemeral_resource(
        &self,
        request: Request<OpenEphemeralResourceRequest>,
    ) -> Answer<OpenEphemeralResourceResponse> {
        let request = request.into_inner();
        let config = object(request.config).unwrap_or_default();
        let (result, diagnostics) =
            self.look_up(&sources::EPHEMERAL, &request.type_name, Step::Open, config)?;
        Ok(Response::new(OpenEphemeralResourceResponse {
            diagnostics,
            result: Some(dynamic(result)),
        }))
    }

    async fn close_ephemeral_resource(
        &self,
        request: Request<CloseEphemeralResourceRequest>,
    ) -> Answer<CloseEphemeralResourceResponse> {
        self.cloud.lock().record(Step::Close, &request.into_inner().type_name, None);
        Ok(Response::new(CloseEphemeralResourceResponse {}))
    }
}

impl Service {
    /// Reads one of these sources; returns what it gives, or what went wrong.
    fn look_up(
        &self,
        among: &[Source],
        name: &str,
        step: Step,
        config: Attributes,
    ) -> Result<(Option<Attributes>, Vec<Diagnostic>), Status> {
        let source = among.iter().find(|source| source.name() == name).ok_or_else(unheard_of)?;
        let mut world = self.cloud.lock();
        if world.record(step, name, None) {
            return Ok((None, vec![error(format!("{name}: {step:?} failed"))]));
        }
        Ok((Some(source.read(&mut world, config)), Vec::new()))
    }
}

/// Finds a resource type.
fn resource(name: &str) -> Result<&'static dyn Resource, Status> {
    resources::ALL.into_iter().find(|resource| resource.name() == name).ok_or_else(unheard_of)
}

/// Returns the answer to a question for a type that was in no schema.
fn unheard_of() -> Status {
    Status::invalid_argument("no schema of ours has that type")
}

/// Returns the path of an attribute.
fn path(name: &str) -> AttributePath {
    let selector = Some(Selector::AttributeName(name.to_owned()));
    AttributePath { steps: vec![attribute_path::Step { selector }] }
}
