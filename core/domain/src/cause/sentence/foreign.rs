//! Words of other languages in which systems tell what went wrong, and what the rules call them.

use std::collections::HashMap;
use std::sync::LazyLock;

/// The English of a word, in one word or several; none where it is English or says nothing.
pub(super) fn english(word: &str) -> Option<&'static str> {
    static BY_WORD: LazyLock<HashMap<&str, &str>> = LazyLock::new(|| {
        let each = |(english, words): &(&'static str, &'static str)| {
            words.split('|').map(|word| (word, *english)).collect::<Vec<_>>()
        };
        WORDS.iter().flat_map(each).collect()
    });
    BY_WORD.get(word).copied()
}

const WORDS: &[(&str, &str)] = &[
    ("password", "passwort|kennwort|passworts|kennworts|passe|contraseña|clave|senha|parola"),
    ("login", "anmeldung|anmelden|inicio"),
    (
        "authentication",
        "authentifizierung|authentifizierungsfehler|authentification|autenticación|autenticacion|autenticação|autenticazione",
    ),
    ("credentials", "anmeldedaten|zugangsdaten|identifiants|credenciales|credenciais"),
    ("signature", "signatur"),
    ("certificate", "zertifikat|zertifikats|zertifikate|certificat|certificado|certificato"),
    ("expired", "abgelaufen|abgelaufenes|expiré|expirée|expirés|expirado|caducado|caducada|vencido|scaduto"),
    ("user", "benutzer|benutzername|nutzer|utilisateur|usuario|usuário|utente"),
    (
        "permission",
        "berechtigung|berechtigungen|rechte|zugriffsrechte|autorisation|autorisations|permiso|permisos|permissão",
    ),
    ("access", "zugriff|zugang|accès|acceso|acesso|accesso"),
    ("denied", "verweigert|abgelehnt|refusé|refusée|denegado|denegada|negado|negato"),
    ("not allowed", "unzulässig|verboten|interdit|interdite|prohibido|vietato"),
    ("missing", "fehlt|fehlen|fehlend|fehlende|fehlendes|manque|manquant|manquante|falta|faltan|manca"),
    (
        "failed",
        "fehlgeschlagen|gescheitert|misslungen|échoué|échouée|échec|fallido|fallida|falló|fallo|falhou|fallito",
    ),
    ("invalid", "ungültig|ungültige|ungültiger|ungültiges|fehlerhaft|invalide|inválido|inválida|invalido"),
    (
        "incorrect",
        "falsch|falsches|falscher|inkorrekt|incorrecte|erroné|erronée|incorrecto|incorrecta|errata",
    ),
    (
        "unknown",
        "unbekannt|unbekannte|unbekannter|unbekanntes|inconnu|inconnue|desconocido|desconocida|sconosciuto",
    ),
    ("not", "nicht|kein|keine|keinen|keiner|nessun|nessuna|ne|pas|aucun|aucune|ningún|ninguna|não"),
    ("found", "gefunden|trouvé|trouvée|trouvés|encontrado|encontrada|encontró|trovato|trovata"),
    ("not found", "unauffindbar|introuvable|introuvables"),
    ("does not exist", "inexistant|inexistante|inexistente"),
    ("exist", "existiert|existe|esiste"),
    ("already", "bereits|déjà|ya|già|já"),
    ("file", "datei|dateien|fichier|fichiers|archivo|fichero|arquivo"),
    ("directory", "verzeichnis|ordner|répertoire|dossier|directorio|carpeta|diretório"),
    ("table", "tabelle|tabellen|tabla|tabela|tabella"),
    ("column", "spalte|spalten|colonne|columna|coluna"),
    ("relation", "relación"),
    ("database", "datenbank|datenbanken"),
    ("memory", "speicher|arbeitsspeicher|hauptspeicher|mémoire|memoria|memória"),
    ("no space left", "speicherplatz|plattenplatz"),
    ("disk", "festplatte|datenträger|disque|disco"),
    ("space", "platz|espace|espacio|espaço|spazio"),
    ("full", "voll|plein|pleine|saturé|lleno|llena|cheio|pieno"),
    (
        "connection",
        "verbindung|verbindungen|verbindungsaufbau|connexion|connexions|conexión|conexion|conexão|connessione",
    ),
    ("refused", "zurückgewiesen|rechazada|rechazado|recusada|rifiutata"),
    ("reset", "zurückgesetzt|réinitialisée|restablecida"),
    ("terminated", "abgebrochen|getrennt|unterbrochen|beendet|interrompue|interrumpida|interrotta"),
    ("timed out", "zeitüberschreitung|zeitlimit|délai|agotado"),
    ("exceeded", "überschritten|überschreitet|dépassé|dépassée|dépasse|excedido|excedida|superado|superato"),
    ("limit", "grenze|grenzwert|obergrenze|limite|límite"),
    ("quota", "kontingent|kontingents|cuota|cota"),
    ("too large", "volumineux"),
    ("host", "rechner|hôte|anfitrión"),
    ("server", "servidor|serveur"),
    ("service", "dienst|servicio|serviço|servizio"),
    ("unavailable", "indisponible|indisponibile"),
    ("available", "verfügbar|disponible|disponibile"),
    ("overloaded", "überlastet|surchargé|sobrecargado"),
    ("key", "schlüssel|schlüsselwert|clé|chave|chiave"),
    ("duplicate", "doppelt|doppelter|doppelte|mehrfach|dupliquée|doublon|duplicada|duplicado|duplicato"),
    ("violates", "verletzt|viole|viola"),
    ("constraint", "bedingung|contrainte|restricción|restrição|vincolo"),
    ("syntax", "syntaxfehler|syntaxe|sintaxis|sintaxe|sintassi"),
    ("lock", "sperre|verrou|bloqueo"),
    ("is locked", "gesperrt|verrouillé|bloqueada|bloqueado"),
    ("checksum", "prüfsumme"),
    ("module", "modul|módulo|modulo"),
    ("package", "paket|paquet|paquete|pacote|pacchetto"),
    ("query", "abfrage|anfrage|requête|consulta|richiesta"),
    ("server error", "serverfehler"),
    ("line", "zeile|ligne|linea|línea"),
    ("lines", "zeilen|lignes|lineas|líneas"),
    ("field", "feld|champ|campo"),
    ("fields", "felder|champs|campos"),
    ("value", "wert|valeur|valor"),
    ("record", "datensatz|satz|enregistrement"),
    ("records", "datensätze|sätze|enregistrements|registros"),
    ("empty", "leer|leere|leeren|vide|vides|vacío|vacía|vacio|vuoto|aufgebraucht"),
    ("expected", "erwartet|erwartete|attendu|attendue|attendues|attendus|esperado|esperada"),
    ("number", "zahl|dezimalzahl|nombre|número"),
    ("numeric", "numerisch|numérique|numérico"),
    ("date", "datum|fecha"),
    ("valid", "gültiges|gültige|gültiger|gültig|válido|válida"),
    ("received", "reçu|reçue|reçus|recibido|recibida|erhalten"),
    ("response", "antwort|réponse|respuesta"),
    ("renamed", "umbenannt|renommé|renommée|renombrado"),
    ("instead", "stattdessen"),
    ("references", "verweist|référence"),
    ("foreign key", "fremdschlüssel"),
    ("mandatory", "pflichtfeld|pflichtangabe|obligatoire|obligatorio|obligatoria"),
];

#[cfg(test)]
mod tests {
    use super::super::cause;
    use crate::cause::Cause;

    #[test]
    fn other_languages_are_understood() {
        for (text, expected) in [
            ("Passwort-Authentifizierung für Benutzer »etl« fehlgeschlagen", Cause::AuthUnauthenticated),
            ("Zugriff verweigert: fehlende Berechtigung für Tabelle konten", Cause::AuthForbidden),
            ("le mot de passe est incorrect", Cause::AuthUnauthenticated),
            ("El certificado ha caducado", Cause::AuthTokenExpired),
            ("Fichier introuvable : export.csv", Cause::RequestNotFound),
            ("Verbindung zurückgewiesen", Cause::NetworkRefused),
            ("La tabla \"ventas\" no existe", Cause::SqlUndefinedObject),
            ("doppelter Schlüsselwert verletzt Unique-Constraint", Cause::DataDuplicate),
            ("Das Kontingent wurde überschritten", Cause::LimitQuota),
            ("Der Dienst ist nicht verfügbar", Cause::RemoteUnavailable),
            ("mémoire insuffisante : allocation échouée, mémoire allocate", Cause::ResourceMemory),
        ] {
            assert_eq!(cause(&text.to_lowercase()), Some(expected), "{text}");
        }
        // Words that mean something else in English, and what went well.
        for text in
            ["the expiration of the token", "the grand total of the request", "der Dienst ist verfügbar"]
        {
            assert_eq!(cause(&text.to_lowercase()), None, "{text}");
        }
    }
}
