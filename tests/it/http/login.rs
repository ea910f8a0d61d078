//! Section 3 of the contract: tokens, personal keys, organisations.

use serde_json::json;
use tablemill::http::admin;

use super::client::Server;

#[test]
fn login_refresh_verify() {
    let server = Server::with(|config| config.token_seconds = 1);
    for path in ["/api-token-auth/", "/api/v2/auth/token/generate"] {
        let body = json!({"username": "admin", "password": "tuna"}).to_string();
        let answer = server.send_with("POST", path, &[], body.as_bytes());
        assert_eq!(answer.status, 200, "{answer:?}");
        let login = answer.value();
        assert_eq!(login["user"]["id"], 1);
        assert!(login.get("active_organization").is_none());
    }
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    let answer =
        server.send_with("POST", "/api-token-auth", &form, b"username=admin&password=tuna");
    let token = answer.value()["token"].as_str().unwrap().to_owned();
    let given = json!({"token": token}).to_string();
    let refreshed = server.send_with("POST", "/api/v2/auth/token/refresh", &[], given.as_bytes());
    assert_eq!(refreshed.status, 200);
    let refreshed = refreshed.value()["token"].as_str().unwrap().to_owned();
    // The old one keeps working, and a repeated scheme is taken.
    assert_eq!(server.send_as(&token, "GET", "/api/v2/files/", b"").status, 200);
    let twice = format!("bearer {refreshed}");
    assert_eq!(server.send_as(&twice, "GET", "/api/v2/files/", b"").status, 200);
    assert_eq!(server.send_with("POST", "/api-token-verify/", &[], given.as_bytes()).status, 200);

    std::thread::sleep(std::time::Duration::from_millis(2100));
    for path in ["/api-token-refresh/", "/api-token-verify/", "/api/v2/auth/token/verify"] {
        let answer = server.send_with("POST", path, &[], given.as_bytes());
        assert_eq!(answer.status, 400);
        assert_eq!(answer.value(), json!({"non_field_errors": ["Token has expired."]}));
    }
    let answer = server.send_as(&token, "GET", "/api/v2/files/", b"");
    assert_eq!((answer.status, answer.value()), (401, json!({"detail": "Token has expired."})));
    let answer = server.send_as("a.b.c", "GET", "/api/v2/files/", b"");
    assert_eq!((answer.status, answer.value()), (401, json!({"detail": "Error decoding token."})));
    // Fixed tokens are echoed.
    let given = json!({"token": server.token}).to_string();
    let answer = server.send_with("POST", "/api-token-refresh", &[], given.as_bytes());
    assert_eq!(answer.value()["token"], server.token);
}

#[test]
fn refused_logins() {
    let server = Server::start();
    let login = |body: &str| server.send_with("POST", "/api-token-auth/", &[], body.as_bytes());
    for body in [
        r#"{"username": "admin", "password": "wrong"}"#,
        r#"{"username": "nobody", "password": "wrong"}"#,
    ] {
        let answer = login(body);
        assert_eq!(answer.status, 400);
        let text = "Unable to log in with provided credentials.";
        assert_eq!(answer.value(), json!({"non_field_errors": [text]}));
    }
    let answer = login("{}");
    assert_eq!(answer.value()["username"], json!(["This field is required."]));
    assert_eq!(answer.value()["password"], json!(["This field is required."]));
    assert_eq!(
        login("[]").value(),
        json!({"non_field_errors":
        ["Invalid data. Expected a dictionary, but got list."]})
    );
    let answer = login("{oops");
    assert!(answer.value()["detail"].as_str().unwrap().starts_with("JSON parse error - "));
    let answer = server.send_with("GET", "/api/v2/files/", &[], b"");
    assert_eq!(answer.status, 401);
    assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
    assert_eq!(answer.value(), json!({"detail": "Authentication credentials were not provided."}));
}

#[test]
fn personal_keys_and_organisations() {
    let server = Server::start();
    let data = server.data.path();
    let (id, secret) = admin::add_personal_key(data, "admin").unwrap();
    admin::join_organisation(data, "admin", "org1").unwrap();
    let key = format!("PersonalKey {id}:{secret}");
    let path = "/api/v2/auth/pkey/jwt/";
    for method in ["GET", "POST"] {
        let answer = server.send_with(method, path, &[("Authorization", &key)], b"{}");
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.value()["user"]["username"], "admin");
        let body = br#"{"org_name": "org1"}"#;
        let answer = server.send_with(method, path, &[("Authorization", &key)], body);
        let organisation = &answer.value()["active_organization"];
        assert_eq!(*organisation, json!({"slug": "org1", "is_found": true, "is_member": true}));
    }
    let wrong = format!("PersonalKey {id}:x");
    let answer = server.send_with("GET", path, &[("Authorization", &wrong)], b"");
    assert_eq!(answer.status, 401);
    let text = "Unable to log in with provided credentials.";
    assert_eq!(answer.value(), json!({"detail": text}));

    let login = r#"{"username": "admin", "password": "tuna", "org_name": "other"}"#;
    let answer = server.send_with("POST", "/api-token-auth/", &[], login.as_bytes());
    assert_eq!(answer.status, 200);
    let organisation = &answer.value()["active_organization"];
    assert_eq!(*organisation, json!({"slug": "other", "is_found": false, "is_member": false}));

    let answer = server.send("POST", "/api/v2/o/org1/switch/", b"slug=org1");
    assert_eq!((answer.status, answer.value()), (200, json!({"status": "OK"})));
    let answer = server.send("POST", "/api/v2/o/other/switch/", b"slug=other");
    assert_eq!((answer.status, &answer.value()["status"]), (404, &json!("ERROR")));
    let answer =
        server.json("POST", "/api/v2/files/", &json!({"file_type": "csv", "org_name": "other"}));
    assert_eq!(answer.status, 400);
    assert!(answer.value()["org_name"][0].is_string());
}

#[test]
fn members_read_but_do_not_change() {
    let server = Server::start();
    let data = server.data.path();
    let bob = server.user("bob");
    for user in ["admin", "bob"] {
        admin::join_organisation(data, user, "org1").unwrap();
    }
    let id = server.create(json!({"file_type": "csv", "org_name": "org1"}));
    server.upload(&id, "", b"s,d\na,b\n");
    let path = format!("/api/v2/files/{id}");
    assert_eq!(server.send_as(&bob, "GET", &path, b"").status, 200);
    assert_eq!(server.send_as(&bob, "GET", &format!("{path}/data"), b"").body, b"s,d\na,b\n");
    assert_eq!(server.send_as(&bob, "GET", "/api/v2/files/", b"").value()["count"], 1);
    for (method, path) in [
        ("PATCH", path.clone()),
        ("DELETE", path.clone()),
        ("POST", format!("/api/v2/upload/files/{id}")),
    ] {
        let answer = server.send_as(&bob, method, &path, b"{}");
        assert_eq!(answer.status, 403, "{method}");
        let text = "You do not have permission to perform this action.";
        assert_eq!(answer.value(), json!({"detail": text}));
    }
    assert_eq!(server.record(&id)["is_valid"], true);
}
