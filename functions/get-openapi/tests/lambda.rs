//! The real program, as Lambda runs it.

use lambda_runtime_stand_in::Program;

lambda_runtime_stand_in::every_program! { Program {
    name: "get-openapi",
    binary: env!("CARGO_BIN_EXE_get-openapi"),
    method: "GET",
    path: "/whatsapp/api/openapi.json",
    body: String::new(),
    statuses: &[200],
    also_needs: &[],
};
    every_form_of_a_request_is_answered
    no_event_stops_the_program
}
