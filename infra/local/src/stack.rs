//! Starting and stopping all the parts.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use api::Endpoint;
use auth::{ApiKey, Import, KeySettings, Keys, Registry};
use block_list::BlockList;
use campaigns::{Brakes, Caretaker, Controls, Planner, Reports, Starter, Uploader, Worker};
use chats::{Chats, Events, ReadReceipts};
use domain::{Accounts, Clock, CountryCode};
use embedded_dynamodb::{Data, Engine, EngineError};
use embedded_lambda::Function;
use embedded_secrets_manager::SecretsManager;
use futures::future::try_join_all;
use inbox::{Inbox, Words};
use key_page::KeyPage;
use meta_simulator::Simulator;
use outbox::Outbox;
use receive_webhook::ReceiveWebhook;
use secrecy::{ExposeSecret, SecretString};
use storage::{Actor, ClientSecret, Database, WorkQueue};
use template::Template;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet};
use uuid::Uuid;
use whatsapp::WhatsApp;

use crate::functions::{self, Dependencies, Task};
use crate::gateway::{self, NoSuchFunction};
use crate::guard::Guard;
use crate::processes::Processes;
use crate::queues::{self, Pollers};
use crate::schedules;
use crate::settings::Settings;

const TABLE_PREFIX: &str = "local";
/// The queue's name in template.yaml.
const SEND_CAMPAIGN_QUEUE: &str = "SendCampaign";
/// The secrets' logical ids in template.yaml.
const ACCOUNTS_SECRET: &str = "AccountsSecret";
const SETUP_TOKEN_SECRET: &str = "AdminSetupToken";
const USUAL_DYNAMODB_PORT: u16 = 8000;
const USUAL_SIMULATOR_PORT: u16 = 9001;
/// Every start makes an API key, since none is kept anywhere to be shown again; so that they don't pile up, they expire.
const START_KEY_LIFE: Duration = Duration::from_hours(30 * 24);

/// Why the stack did not start: one line for a person.
#[derive(Debug)]
pub struct StackError(pub(crate) String);

impl fmt::Display for StackError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for StackError {}

/// How the admin gets in: by the password that was asked for, which stays untold, by one made at this start, or by way of
/// a provider.
#[derive(Debug)]
enum AdminSignIn {
    Given,
    Made(SecretString),
    Provider(String),
}

/// Functions that run as processes, the secrets that they read, and what stands between them and AWS's services.
#[derive(Debug)]
struct Guarded {
    functions: Vec<Arc<Function>>,
    _guards: [Guard; 3],
    _secrets: SecretsManager,
}

/// The running system.
pub struct Stack {
    api_url: String,
    api_key: ApiKey,
    admin_sign_in: AdminSignIn,
    engine: Engine,
    simulator: Option<Simulator>,
    data_dir: String,
    stop: oneshot::Sender<()>,
    server: JoinHandle<()>,
    schedules: JoinSet<()>,
    tasks: HashMap<String, (Task, Duration)>,
    pollers: Pollers,
    guarded: Option<Guarded>,
    queues: embedded_sqs::Engine,
}

impl Stack {
    /// Starts every part. Once this returns, the API takes requests.
    pub async fn start(settings: Settings) -> Result<Self, StackError> {
        let country = CountryCode::parse(&settings.default_country_code)
            .map_err(|error| StackError(format!("DEFAULT_COUNTRY_CODE {error}")))?;
        let accounts = accounts(&settings)?;
        let own_key = own_key(&settings)?;
        let listener = TcpListener::bind(local_address(settings.port)).await;
        let listener = listener.map_err(|error| port_problem("PORT", settings.port, &error))?;
        let address = listener.local_addr().map_err(|error| port_problem("PORT", settings.port, &error))?;
        let engine = start_engine(&settings).await?;
        let simulator = match &settings.graph_api_url {
            Some(_) => None,
            None => Some(start_simulator(&settings, &accounts).await?),
        };
        let graph_api_url = settings.graph_api_url.clone();
        let graph_api_url =
            graph_api_url.or_else(|| simulator.as_ref().map(Simulator::graph_api_url)).unwrap_or_default();
        let whatsapp = WhatsApp::new(&graph_api_url).map_err(|error| StackError(format!("GRAPH_API_URL: {error}")))?;

        let database = Database::local(engine.url(), TABLE_PREFIX);
        let api_key = start_key(&Registry::new(&database, Clock::system()), own_key).await?;
        let is_webhook_believed = accounts.iter().any(|account| account.app_secret.is_some());
        let queues = queue_engine().await?;
        let parts = Parts { settings: &settings, database, whatsapp, accounts, country, queues: &queues };
        let dependencies = parts.dependencies()?;
        let admin_sign_in = set_admin_password(&dependencies.key_page, &settings).await?;
        let template = Template::ours().map_err(|error| StackError(error.to_string()))?;
        let missing =
            |NoSuchFunction(name)| StackError(format!("template.yaml names the function {name}, which is not here"));
        let mut guarded = None;
        let (all, tasks, consumers) = match &settings.lambda {
            None => {
                let all = functions::all(&dependencies);
                (all, functions::scheduled(&dependencies), functions::consumers(&dependencies))
            }
            Some(folder) => {
                let secrets = secrets(&settings).await?;
                let services = [engine.url(), queues.url(), secrets.url()];
                let guards = guards(services, &template, settings.record_calls.as_ref()).await?;
                let [database, work, secret] = &guards;
                let aws = Aws {
                    database: database.url(),
                    queues: work.url(),
                    secrets: secret.url(),
                    queue_url: &queues.queue_url(SEND_CAMPAIGN_QUEUE),
                    graph_api_url: &graph_api_url,
                };
                let started =
                    Processes::start(&template, folder, settings.lambda_watch, &environment(&settings, &aws)).await?;
                guarded = Some(Guarded { functions: started.all(), _guards: guards, _secrets: secrets });
                (started.functions(), started.scheduled(), started.consumers())
            }
        };
        let router = gateway::router(&template, &all).map_err(missing)?;
        let schedules = schedules::start(&template, &tasks).map_err(missing)?;
        let with_a_schedule = template.functions.iter().filter(|function| !function.schedules.is_empty());
        let tasks_by_name = with_a_schedule.filter_map(|function| {
            let task = tasks.get(function.name.as_str())?;
            Some((function.name.clone(), (Arc::clone(task), function.timeout)))
        });
        let tasks_by_name = tasks_by_name.collect();
        let pollers = queues::start(&template, &consumers, &queues).map_err(missing)?;

        let (stop, stopped) = oneshot::channel::<()>();
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        let server = tokio::spawn(async move {
            let stopped = async move {
                // An error is a dropped sender: the stack was dropped.
                let _ = stopped.await;
            };
            // It ends with an error only when accepting does; whoever asks then finds nobody listening.
            let _ = axum::serve(listener, service).with_graceful_shutdown(stopped).await;
        });
        if let Some(simulator) = simulator.as_ref().filter(|_| is_webhook_believed) {
            let url = format!("http://{address}{}", ReceiveWebhook::ROUTE.path);
            simulator.set_webhook_url(Some(url.parse().map_err(|error| StackError(format!("{url}: {error}")))?));
            let verified = simulator.verify_webhook().await;
            verified.map_err(|problem| StackError(format!("the simulated Meta can't verify {url}: {problem}")))?;
        }
        let data_dir = settings.local_data_dir.display().to_string();
        Ok(Self {
            api_url: format!("http://{address}"),
            api_key,
            admin_sign_in,
            engine,
            simulator,
            data_dir,
            stop,
            server,
            schedules,
            tasks: tasks_by_name,
            pollers,
            guarded,
            queues,
        })
    }

    /// The API's base URL.
    pub fn api_url(&self) -> &str {
        &self.api_url
    }

    /// The address of DynamoDB, for any AWS SDK or command line.
    pub fn dynamodb_url(&self) -> &str {
        self.engine.url()
    }

    /// The simulated Meta, unless another one is used.
    pub fn simulator(&self) -> Option<&Simulator> {
        self.simulator.as_ref()
    }

    /// An API key that holds every scope.
    pub fn api_key(&self) -> &ApiKey {
        &self.api_key
    }

    /// Runs now what a schedule starts, and returns once it is done, whatever became of it. `false`: no schedule starts such
    /// a function.
    pub async fn run_scheduled(&self, function: &str) -> bool {
        let Some((task, timeout)) = self.tasks.get(function) else { return false };
        task(Uuid::new_v4().to_string(), *timeout).await;
        true
    }

    /// Whether the queue that template.yaml calls `queue` has nothing that can be received, and no function is at something of
    /// it. What is delayed does not count. `false`: also if there is no such queue.
    pub fn is_idle(&self, queue: &str) -> bool {
        self.queues.is_idle(queue)
    }

    /// The address of the page where an admin makes keys.
    pub fn key_page_url(&self) -> String {
        format!("{}{}", self.api_url, KeyPage::ROUTE.path)
    }

    /// What a newcomer needs.
    pub fn welcome(&self) -> String {
        let Self { api_url, data_dir, .. } = self;
        let (key, dynamodb_url) = (self.api_key.reveal(), self.engine.url());
        let key_page_url = self.key_page_url();
        let password = match &self.admin_sign_in {
            AdminSignIn::Given => "the password is LOCAL_ADMIN_PASSWORD",
            AdminSignIn::Made(password) => &format!("password {}", password.expose_secret()),
            AdminSignIn::Provider(issuer) => {
                &format!("sign in by {issuer}, which must know {}", key_page::return_url(&key_page_url))
            }
        };
        let (phones, look) = match &self.simulator {
            Some(simulator) => {
                let url = simulator.page_url();
                (
                    format!(
                        "  Phones     {url}  what the simulated phones receive\n  \
                           Arrivals   {}  how a campaign arrives\n",
                        simulator.arrivals_url()
                    ),
                    format!("\n\nThen look at {url}\n"),
                )
            }
            None => (String::new(), String::new()),
        };
        format!(
            "\nWhatsApp Gateway is running. Ctrl-C stops it.\n\n  \
               API        {api_url}\n\
             {phones}  \
               Key page   {key_page_url}  {password}\n  \
               DynamoDB   {dynamodb_url}  for any AWS SDK or command line; data in {data_dir}\n  \
               API key    {key}\n\n\
             Send a message:\n\n  \
               curl -X POST {api_url}/whatsapp/api/send-message/ -H 'X-API-Key: {key}' \\\n    \
                 -H 'Content-Type: application/json' -d '{{\"phone\": \"+919876543210\", \"message\": \"Hello!\"}}'{look}"
        )
    }

    /// Stops every part, once the requests under way are answered.
    pub async fn stop(mut self) {
        self.schedules.shutdown().await;
        // An error is a server that ended already.
        let _ = self.stop.send(());
        let _ = self.server.await;
        self.pollers.stop().await;
        if let Some(guarded) = &self.guarded {
            guarded.functions.iter().for_each(|function| function.stop());
        }
        self.queues.stop().await;
        self.engine.stop().await;
    }
}

fn accounts(settings: &Settings) -> Result<Accounts, StackError> {
    match &settings.whatsapp_accounts {
        Some(setting) => storage::accounts::parse(setting).map_err(|error| StackError(error.to_string())),
        None => simulated_accounts().parse().map_err(|error: domain::AccountsError| StackError(error.to_string())),
    }
}

/// What the functions stand on that run in this process.
struct Parts<'a> {
    settings: &'a Settings,
    database: Database,
    whatsapp: WhatsApp,
    accounts: Accounts,
    country: CountryCode,
    queues: &'a embedded_sqs::Engine,
}

impl Parts<'_> {
    fn dependencies(self) -> Result<Dependencies, StackError> {
        let Self { settings, database, whatsapp, accounts, country, queues } = self;
        let clock = Clock::system;
        let mut key_page = KeyPage::new(&database, None, clock());
        (key_page.is_local, key_page.accounts) = (true, Some(accounts.clone()));
        key_page.provider = provider(settings, &database)?;
        let accounts = Arc::new(accounts);
        let known = || Arc::clone(&accounts);
        let chats = Chats::new(&database, known(), country.clone(), clock());
        let words = Words::new(&settings.stop_words, &settings.start_words);
        let work = WorkQueue::local(queues.url(), &queues.queue_url(SEND_CAMPAIGN_QUEUE));
        let outbox = Outbox::new(&database, whatsapp.clone(), known(), country.clone(), clock());
        let uploader = Uploader::new(&database, known(), country, clock());
        let controls = Controls::new(&database, work.clone(), known(), clock());
        Ok(Dependencies {
            keys: Keys::new(&database, clock()),
            block_list: BlockList::new(&database, whatsapp.clone(), known(), clock()),
            receipts: ReadReceipts::new(chats.clone(), whatsapp.clone()),
            chats,
            events: Events::new(&database, known()),
            inbox: Inbox::new(&database, known(), words, clock()),
            planner: Planner::new(uploader.clone(), &database, whatsapp.clone()),
            uploader,
            brakes: Brakes::new(&database, known(), clock()),
            reports: Reports::new(&database, known(), clock()),
            worker: Worker::new(&database, work.clone(), outbox.clone(), known(), clock()),
            outbox,
            caretaker: Caretaker::new(&database, work, known(), clock()),
            starter: Starter::new(controls.clone(), &database, whatsapp),
            controls,
            key_page,
            query_key_allowed: settings.allow_query_api_key,
        })
    }
}

/// The OpenID provider that admins sign in by, if there is one.
fn provider(settings: &Settings, database: &Database) -> Result<Option<key_page::Provider>, StackError> {
    let Some(issuer) = settings.oidc_issuer.clone() else { return Ok(None) };
    let entries = key_page::ProviderEntries {
        issuer,
        client_id: settings.oidc_client_id.clone(),
        client_secret: ClientSecret::given(settings.oidc_client_secret.clone()),
        admins: settings.admins.clone().unwrap_or_default(),
    };
    let provider = key_page::Provider::new(entries, database, Clock::system());
    provider.map(Some).map_err(|error| StackError(error.to_string()))
}

/// What stands in for AWS and Meta.
struct Aws<'a> {
    database: &'a str,
    queues: &'a str,
    secrets: &'a str,
    queue_url: &'a str,
    graph_api_url: &'a str,
}

/// What keeps functions to their roles, before each of the services.
async fn guards<const N: usize>(
    services: [&str; N],
    template: &Template,
    record: Option<&PathBuf>,
) -> Result<[Guard; N], StackError> {
    let guards = services.map(async |url| Guard::before(url, TABLE_PREFIX, template, record.cloned()).await);
    let guards = try_join_all(guards).await;
    let failed = |error| StackError(format!("the functions can't be kept to their roles: {error}"));
    guards.map_err(failed)?.try_into().map_err(|_| StackError("there are too few guards".to_owned()))
}

/// The secrets that template.yaml makes, by their logical ids.
async fn secrets(settings: &Settings) -> Result<SecretsManager, StackError> {
    let accounts = settings.whatsapp_accounts.as_ref().map(|accounts| accounts.expose_secret().to_owned());
    let accounts = accounts.unwrap_or_else(simulated_accounts);
    // Two random UUIDs: nobody knows it, and the password is set already.
    let setup_token = format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
    let secrets = [(ACCOUNTS_SECRET, accounts.as_str()), (SETUP_TOKEN_SECRET, setup_token.as_str())];
    let started = SecretsManager::start(&secrets).await;
    started.map_err(|error| StackError(format!("the secrets can't be kept: {error}")))
}

/// The environment variables of functions that run as processes: template.yaml's, and what leads to this machine.
fn environment(settings: &Settings, aws: &Aws<'_>) -> BTreeMap<String, String> {
    let allow_query_api_key = settings.allow_query_api_key.to_string();
    let client_secret = settings.oidc_client_secret.as_ref().map(ExposeSecret::expose_secret);
    let variables = [
        ("AWS_ENDPOINT_URL_DYNAMODB", aws.database),
        ("AWS_ENDPOINT_URL_SQS", aws.queues),
        ("AWS_ENDPOINT_URL_SECRETS_MANAGER", aws.secrets),
        ("TABLE_PREFIX", TABLE_PREFIX),
        ("GRAPH_API_URL", aws.graph_api_url),
        ("WHATSAPP_ACCOUNTS_SECRET", ACCOUNTS_SECRET),
        ("ADMIN_SETUP_TOKEN_SECRET", SETUP_TOKEN_SECRET),
        ("DEFAULT_COUNTRY_CODE", &settings.default_country_code),
        ("ALLOW_QUERY_API_KEY", &allow_query_api_key),
        ("STOP_WORDS", &settings.stop_words),
        ("START_WORDS", &settings.start_words),
        ("SEND_CAMPAIGN_QUEUE_URL", aws.queue_url),
        ("KEY_PAGE_IS_LOCAL", "true"),
        ("OIDC_ISSUER", settings.oidc_issuer.as_deref().unwrap_or_default()),
        ("OIDC_CLIENT_ID", settings.oidc_client_id.as_deref().unwrap_or_default()),
        ("OIDC_CLIENT_SECRET", client_secret.unwrap_or_default()),
        ("ADMINS", settings.admins.as_deref().unwrap_or_default()),
    ];
    variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}

/// The one account of the simulated Meta.
fn simulated_accounts() -> String {
    serde_json::json!([{
        "id": 1,
        "name": "Simulated",
        "phone_number_id": meta_simulator::PHONE_NUMBER_ID,
        "waba_id": meta_simulator::WABA_ID,
        "access_token": meta_simulator::ACCESS_TOKEN,
        "app_secret": meta_simulator::APP_SECRET,
        "verify_token": meta_simulator::VERIFY_TOKEN,
    }])
    .to_string()
}

fn own_key(settings: &Settings) -> Result<Option<ApiKey>, StackError> {
    let Some(text) = &settings.local_api_key else { return Ok(None) };
    ApiKey::parse(text.expose_secret()).map(Some).map_err(|error| StackError(format!("LOCAL_API_KEY {error}")))
}

async fn start_key(registry: &Registry, own_key: Option<ApiKey>) -> Result<ApiKey, StackError> {
    let failed = |error: domain::Error| StackError(format!("the API key can't be stored: {}", error.public().message));
    let by = Actor { name: "cargo run".to_owned(), address: None };
    if let Some(key) = own_key {
        let import = Import { name: "LOCAL_API_KEY".to_owned(), is_active: true, created_at: None };
        if let Some(record) = registry.import(&key, import, &by).await.map_err(failed)? {
            // On this machine a key may be as weak as one likes, for as long as one likes.
            let settings = KeySettings { expires_at: None, ..record.settings() };
            registry.set(&record.id, record.version, settings, &by).await.map_err(failed)?;
        }
        return Ok(key);
    }
    let expires_at = Clock::system().now().saturating_add(START_KEY_LIFE);
    let expires_at = Some(expires_at.map_err(|error| StackError(error.to_string()))?);
    let settings = KeySettings { expires_at, ..KeySettings::unlimited("made by cargo run") };
    registry.create(&Registry::new_id(), settings, &by).await.map(|(key, _)| key).map_err(failed)
}

async fn set_admin_password(page: &KeyPage, settings: &Settings) -> Result<AdminSignIn, StackError> {
    if let Some(provider) = &page.provider {
        return Ok(AdminSignIn::Provider(provider.admin.issuer().to_owned()));
    }
    let (password, told) = if let Some(password) = &settings.local_admin_password {
        (password.clone(), AdminSignIn::Given)
    } else {
        // 60 random bits, easy to type.
        let random: String = Uuid::new_v4().simple().to_string().chars().take(16).collect();
        (random.clone().into(), AdminSignIn::Made(random.into()))
    };
    let set = page.admin.set_password_locally(&password).await;
    set.map_err(|error| StackError(format!("LOCAL_ADMIN_PASSWORD: {}", error.public().message)))?;
    Ok(told)
}

/// On any free port: nobody but the functions speaks to it.
async fn queue_engine() -> Result<embedded_sqs::Engine, StackError> {
    let started = embedded_sqs::Engine::start(local_address(0), TABLE_PREFIX).await;
    started.map_err(|error| StackError(format!("the queues can't be made: {error}")))
}

async fn start_engine(settings: &Settings) -> Result<Engine, StackError> {
    let data = data(&settings.local_data_dir)?;
    let (port, fallback) = port_or_any(settings.dynamodb_port, USUAL_DYNAMODB_PORT);
    let mut started = Engine::start(&data, local_address(port), TABLE_PREFIX).await;
    if let (Err(EngineError::Address(..)), Some(port)) = (&started, fallback) {
        started = Engine::start(&data, local_address(port), TABLE_PREFIX).await;
    }
    started.map_err(|error| match error {
        EngineError::Address(_, error) => port_problem("DYNAMODB_PORT", port, &error),
        EngineError::Tables(problem) => StackError(format!("LOCAL_DATA_DIR: {problem}")),
        EngineError::Template(error) => StackError(error.to_string()),
    })
}

fn data(folder: &Path) -> Result<Data, StackError> {
    if folder == Path::new(":memory:") {
        return Ok(Data::Memory);
    }
    std::fs::create_dir_all(folder)
        .map_err(|error| StackError(format!("LOCAL_DATA_DIR: {} can't be made: {error}", folder.display())))?;
    Ok(Data::File(folder.join("dynamodb.sqlite")))
}

async fn start_simulator(settings: &Settings, accounts: &Accounts) -> Result<Simulator, StackError> {
    let (port, fallback) = port_or_any(settings.simulator_port, USUAL_SIMULATOR_PORT);
    let simulated = |port| meta_simulator::Settings {
        address: local_address(port),
        accounts: accounts.iter().map(simulated_account).collect(),
        status_delay: Duration::from_millis(settings.status_delay_ms),
        ..meta_simulator::Settings::default()
    };
    let mut started = Simulator::bind(simulated(port)).await;
    if let (Err(_), Some(port)) = (&started, fallback) {
        started = Simulator::bind(simulated(port)).await;
    }
    started.map_err(|error| port_problem("SIMULATOR_PORT", port, &error))
}

fn simulated_account(account: &domain::Account) -> meta_simulator::Account {
    meta_simulator::Account {
        access_token: account.access_token.expose_secret().to_owned(),
        phone_number_id: account.phone_number_id.clone(),
        waba_id: account.waba_id.clone(),
        app_secret: account.app_secret.as_ref().map_or_else(String::new, |secret| secret.expose_secret().to_owned()),
        verify_token: account.verify_token.as_ref().map(|token| token.expose_secret().to_owned()),
        ..meta_simulator::Account::built_in()
    }
}

/// A port that was asked for is that one; otherwise the usual one, or any when that is taken.
fn port_or_any(asked_for: Option<u16>, usual: u16) -> (u16, Option<u16>) {
    match asked_for {
        Some(port) => (port, None),
        None => (usual, Some(0)),
    }
}

const fn local_address(port: u16) -> SocketAddr {
    SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), port)
}

fn port_problem(setting: &str, port: u16, error: &std::io::Error) -> StackError {
    StackError(match error.kind() {
        std::io::ErrorKind::AddrInUse => {
            format!("port {port} is taken by another program: stop that, or choose another port with {setting}")
        }
        _ => format!("port {port} can't be used: {error}; choose another with {setting}"),
    })
}
