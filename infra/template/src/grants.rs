//! What a function's role allows.

use std::collections::BTreeSet;

use serde_norway::{Mapping, Value};

use crate::{name, properties, text, untagged};

/// A call that a function may make.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Grant {
    /// Such as `dynamodb:GetItem`.
    pub action: String,
    /// A table's or a queue's name behind the stack's name and the hyphen, `TABLE/index/INDEX`, or another resource's logical id.
    pub resource: String,
}

/// All that a function's own role allows. Nothing if it has none.
pub(crate) fn of(function: &Value, resources: &Mapping) -> Result<BTreeSet<Grant>, String> {
    let Some(role) = properties(function)?.get("Role") else { return Ok(BTreeSet::new()) };
    let id = untagged(role).as_str().and_then(|attribute| attribute.strip_suffix(".Arn"));
    let role = id.and_then(|id| resources.get(id)).ok_or("has a Role that is not of the form !GetAtt ROLE.Arn")?;
    let policies = properties(role)?.get("Policies").and_then(Value::as_sequence);
    let statements = policies.into_iter().flatten().filter_map(|policy| policy.get("PolicyDocument")?.get("Statement"));
    let mut grants = BTreeSet::new();
    for statement in statements.flat_map(one_or_many) {
        let (Some(actions), Some(on)) = (statement.get("Action"), statement.get("Resource")) else {
            return Err("has a role with a statement that has no Action or no Resource".to_owned());
        };
        if text(statement, "Effect") != Some("Allow") {
            return Err("has a role with a statement that is no Allow".to_owned());
        }
        for on in one_or_many(on) {
            let resource = resource(on, resources)?;
            let actions = one_or_many(actions).iter().filter_map(Value::as_str).map(str::to_owned);
            grants.extend(actions.map(|action| Grant { action, resource: resource.clone() }));
        }
    }
    Ok(grants)
}

fn one_or_many(value: &Value) -> &[Value] {
    value.as_sequence().map_or(std::slice::from_ref(value), Vec::as_slice)
}

/// What an ARN means: `!GetAtt TABLE.Arn`, `!Sub "${TABLE.Arn}/index/INDEX"` or `!Ref ID`.
fn resource(arn: &Value, resources: &Mapping) -> Result<String, String> {
    let told = untagged(arn).as_str().unwrap_or_default();
    let (id, below) = match told.strip_prefix("${") {
        Some(rest) => rest.split_once(".Arn}").unwrap_or_default(),
        None => (told.strip_suffix(".Arn").unwrap_or(told), ""),
    };
    let resource = resources.get(id).ok_or_else(|| format!("has a role for {told:?}, which is no resource"))?;
    let named = properties(resource).and_then(|properties| {
        let member = if properties.get("TableName").is_some() { "TableName" } else { "QueueName" };
        name(properties, member)
    });
    Ok(named.unwrap_or_else(|_| id.to_owned()) + below)
}

#[cfg(test)]
mod tests {
    use crate::Template;

    const FUNCTION: &str = "
  Reader:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: target/lambda/reader/
      Role: !GetAtt ReaderRole.Arn
  NotesTable:
    Type: AWS::DynamoDB::Table
    Properties:
      TableName: !Sub \"${AWS::StackName}-Notes\"
  Secret:
    Type: AWS::SecretsManager::Secret
    Properties: {}
";

    fn grants(statements: &str) -> Result<Vec<String>, String> {
        let role = format!(
            "
  ReaderRole:
    Type: AWS::IAM::Role
    Properties:
      Policies:
        - PolicyName: calls
          PolicyDocument:
            Statement: {statements}
"
        );
        let template = Template::parse(&format!("Resources:{FUNCTION}{role}")).map_err(|error| error.to_string())?;
        let grants = template.functions[0].grants.iter();
        Ok(grants.map(|grant| format!("{} {}", grant.action, grant.resource)).collect())
    }

    #[test]
    fn every_action_on_every_resource_is_a_grant() {
        let statements = r#"
              - {Effect: Allow, Action: dynamodb:GetItem, Resource: !GetAtt NotesTable.Arn}
              - Effect: Allow
                Action: [dynamodb:Query, dynamodb:Scan]
                Resource: [!Sub "${NotesTable.Arn}/index/newest"]
              - {Effect: Allow, Action: secretsmanager:GetSecretValue, Resource: !Ref Secret}"#;
        let expected = [
            "dynamodb:GetItem Notes",
            "dynamodb:Query Notes/index/newest",
            "dynamodb:Scan Notes/index/newest",
            "secretsmanager:GetSecretValue Secret",
        ];
        assert_eq!(grants(statements).unwrap(), expected);
    }

    #[test]
    fn a_role_that_is_not_understood_is_told_and_not_passed_over() {
        for statements in [
            "{Effect: Deny, Action: a:B, Resource: !Ref Secret}",
            "{Effect: Allow, Action: a:B}",
            "{Effect: Allow, Action: a:B, Resource: \"*\"}",
            "{Effect: Allow, Action: a:B, Resource: !GetAtt Other.Arn}",
        ] {
            let problem = grants(statements).unwrap_err();
            assert!(problem.contains("Reader: has a role"), "{problem}");
        }
    }

    #[test]
    fn every_function_of_ours_may_write_its_log() {
        for function in Template::ours().unwrap().functions {
            let is_of_the_log =
                |action: &str| function.grants.iter().any(|grant| grant.action == action && grant.resource == "Logs");
            assert!(is_of_the_log("logs:PutLogEvents") && is_of_the_log("logs:CreateLogStream"), "{}", function.name);
        }
    }
}
