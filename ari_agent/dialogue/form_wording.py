"""The sentences with which a callback or a message is taken down; one instance per form of address."""

from __future__ import annotations

from dataclasses import dataclass, fields

from ari_agent.speech.sentences import split


@dataclass(frozen=True, slots=True)
class FormWording:
    """Short sentences, each heard once. Fields in braces are what the caller said, so no cache can hold them.

    A question to be answered with yes or no is the last sentence of its text and is the same for every caller.
    """

    recipient: str
    recipient_again: str
    name: str
    spell: str
    spell_again: str
    name_check: str
    spelled_check: str
    offer_number: str
    """`{end}` is the end of the calling number, figure by figure."""
    number: str
    number_of_message: str
    number_again: str
    number_needed: str
    """After a caller refused to give one, though a callback is wanted."""
    number_on: str
    """Figures were heard that are no whole number yet."""
    number_typed: str
    """After two failures; how to type it."""
    typing: str
    number_check: str
    no_number: str
    """Instead of a callback a message is taken."""
    company: str
    company_again: str
    matter: str
    matter_again: str
    wish: str
    wish_again: str
    wish_closed: str
    """The wish is outside the hours; `{when}` is the next time inside."""
    email: str
    email_again: str
    email_check: str
    callback_check: str
    message_check: str
    message_check_for: str
    change: str
    """After a "no" to the whole: what should be changed."""
    stop_check: str
    stopped: str
    callback_done: str
    message_done: str
    still_there: str
    """Before a question that is asked again after silence."""
    unnamed: str
    """Stands for a name that was not understood."""
    soon: str

    def phrases(self) -> list[str]:
        """Return every sentence that is the same for all callers, each once."""
        sentences = [sentence for field in fields(self) for sentence in split(getattr(self, field.name))]
        fixed = [sentence for sentence in sentences if sentence[-1] in ".?!" and "{" not in sentence]
        return list(dict.fromkeys(fixed))


_TYPE = "erst die Stern-Taste, dann die Nummer, zum Schluss die Raute."

FORM_SIE = FormWording(
    recipient="Für wen ist die Nachricht?",
    recipient_again="Das habe ich nicht verstanden. Für wen ist die Nachricht?",
    name="Wie ist Ihr Name?",
    spell="Bitte buchstabieren Sie den Nachnamen.",
    spell_again="Bitte buchstabieren Sie den Nachnamen noch einmal, zum Beispiel M wie Martha.",
    name_check="Ich habe verstanden: {name}. Stimmt das?",
    spelled_check="Ich habe verstanden: {name}. {spelling}. Stimmt das?",
    offer_number="Sollen wir Sie unter der Nummer zurückrufen, die auf {end} endet?",
    number="Unter welcher Nummer können wir Sie zurückrufen?",
    number_of_message="Unter welcher Nummer sind Sie zu erreichen?",
    number_again="Bitte sagen Sie die ganze Nummer noch einmal, mit der Vorwahl.",
    number_needed="Ohne Nummer können wir Sie nicht zurückrufen. Unter welcher Nummer können wir Sie zurückrufen?",
    number_on="Ja, und weiter?",
    number_typed=f"Sie können die Nummer auch eintippen: {_TYPE}",
    typing="Bitte tippen Sie jetzt die Nummer ein, zum Schluss die Raute.",
    number_check="Ich wiederhole: {number}. Stimmt das?",
    no_number="Ohne Nummer können wir Sie leider nicht zurückrufen. Ich nehme stattdessen eine Nachricht auf.",
    company="Für welche Firma rufen Sie an? Wenn es privat ist, sagen Sie privat.",
    company_again="Bitte sagen Sie den Namen der Firma noch einmal, oder sagen Sie privat.",
    matter="Worum geht es?",
    matter_again="Das habe ich nicht verstanden. Worum geht es?",
    wish="Wann dürfen wir Sie anrufen?",
    wish_again="Bitte nennen Sie einen Tag oder eine Uhrzeit, zum Beispiel morgen Vormittag.",
    wish_closed="Zu dieser Zeit ist bei uns niemand da. Möglich ist es {when}. Passt Ihnen das?",
    email="Wie ist Ihre E-Mail-Adresse? Wenn Sie keine haben, sagen Sie keine.",
    email_again="Bitte sagen Sie die E-Mail-Adresse noch einmal, oder sagen Sie keine.",
    email_check="Ich wiederhole: {email}. Stimmt das?",
    callback_check="Ich habe notiert: {name}, Rückruf {when}. Ist das so richtig?",
    message_check="Ich habe notiert: eine Nachricht von {name}. Ist das so richtig?",
    message_check_for="Ich habe notiert: eine Nachricht von {name} für {recipient}. Ist das so richtig?",
    change="Was soll ich ändern: den Namen, die Nummer oder die Zeit?",
    stop_check="Soll ich alles löschen und nichts aufnehmen?",
    stopped="Gut, ich habe nichts aufgenommen. Was kann ich sonst für Sie tun?",
    callback_done="Danke, das ist notiert. Wir rufen Sie zurück: {when}. Kann ich sonst noch etwas für Sie tun?",
    message_done="Danke, ich gebe Ihre Nachricht weiter. Kann ich sonst noch etwas für Sie tun?",
    still_there="Sind Sie noch da?",
    unnamed="ohne Namen",
    soon="so bald wie möglich",
)

FORM_DU = FormWording(
    recipient="Für wen ist die Nachricht?",
    recipient_again="Das habe ich nicht verstanden. Für wen ist die Nachricht?",
    name="Wie ist dein Name?",
    spell="Bitte buchstabiere den Nachnamen.",
    spell_again="Bitte buchstabiere den Nachnamen noch einmal, zum Beispiel M wie Martha.",
    name_check="Ich habe verstanden: {name}. Stimmt das?",
    spelled_check="Ich habe verstanden: {name}. {spelling}. Stimmt das?",
    offer_number="Sollen wir dich unter der Nummer zurückrufen, die auf {end} endet?",
    number="Unter welcher Nummer können wir dich zurückrufen?",
    number_of_message="Unter welcher Nummer bist du zu erreichen?",
    number_again="Bitte sag die ganze Nummer noch einmal, mit der Vorwahl.",
    number_needed="Ohne Nummer können wir dich nicht zurückrufen. Unter welcher Nummer können wir dich zurückrufen?",
    number_on="Ja, und weiter?",
    number_typed=f"Du kannst die Nummer auch eintippen: {_TYPE}",
    typing="Bitte tippe jetzt die Nummer ein, zum Schluss die Raute.",
    number_check="Ich wiederhole: {number}. Stimmt das?",
    no_number="Ohne Nummer können wir dich leider nicht zurückrufen. Ich nehme stattdessen eine Nachricht auf.",
    company="Für welche Firma rufst du an? Wenn es privat ist, sag privat.",
    company_again="Bitte sag den Namen der Firma noch einmal, oder sag privat.",
    matter="Worum geht es?",
    matter_again="Das habe ich nicht verstanden. Worum geht es?",
    wish="Wann dürfen wir dich anrufen?",
    wish_again="Bitte nenne einen Tag oder eine Uhrzeit, zum Beispiel morgen Vormittag.",
    wish_closed="Zu dieser Zeit ist bei uns niemand da. Möglich ist es {when}. Passt dir das?",
    email="Wie ist deine E-Mail-Adresse? Wenn du keine hast, sag keine.",
    email_again="Bitte sag die E-Mail-Adresse noch einmal, oder sag keine.",
    email_check="Ich wiederhole: {email}. Stimmt das?",
    callback_check="Ich habe notiert: {name}, Rückruf {when}. Ist das so richtig?",
    message_check="Ich habe notiert: eine Nachricht von {name}. Ist das so richtig?",
    message_check_for="Ich habe notiert: eine Nachricht von {name} für {recipient}. Ist das so richtig?",
    change="Was soll ich ändern: den Namen, die Nummer oder die Zeit?",
    stop_check="Soll ich alles löschen und nichts aufnehmen?",
    stopped="Gut, ich habe nichts aufgenommen. Was kann ich sonst für dich tun?",
    callback_done="Danke, das ist notiert. Wir rufen dich zurück: {when}. Kann ich sonst noch etwas für dich tun?",
    message_done="Danke, ich gebe deine Nachricht weiter. Kann ich sonst noch etwas für dich tun?",
    still_there="Bist du noch da?",
    unnamed="ohne Namen",
    soon="so bald wie möglich",
)
