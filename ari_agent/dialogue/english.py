"""English, for a caller who asks for it: enough to tell what this is and to reach a person.

The agent understands German alone and the company's document is German, so most of this leads to the key 0.
"""

from __future__ import annotations

from ari_agent.dialogue.german import GERMAN
from ari_agent.dialogue.wording import Wording

ENGLISH = Wording(
    notice="Hello, this is the AI assistant of {company}, a computer, not a human.",
    not_recorded="This call is not recorded.",
    wording_stored="This call is written down for testing.",
    may_we={
        "audio": "May we record this call to improve our answers?",
        "transcript": "May we store the words of this call to improve our answers?",
        "audio+transcript": "May we record this call and store its words to improve our answers?",
    },
    how_to_agree="If so, say yes or press one. Without it the call goes on just the same.",
    agreed={
        "audio": "Thank you, recording starts now.",
        "transcript": "Thank you, from now on your words are stored.",
        "audio+transcript": "Thank you, from now on this call is recorded and its words are stored.",
    },
    withdrawn="The recording has been stopped and deleted.",
    offer="I only understand German. I can connect you to a colleague: please press zero on your phone.",
    offer_closed="We are closed now. I only understand German, but I can take down a callback.",
    known_caller="It is good to hear from you again.",
    more="To speak to a colleague, please press zero.",
    moment="One moment please, I am connecting you.",
    connecting="I am calling a colleague for you. Please stay on the line.",
    still_connecting="I am still trying to reach a colleague.",
    back_again="This is the AI assistant of {company} again.",
    refusals={
        "nobody-free": "I am sorry, nobody is free at the moment.",
        "no-answer": "I am sorry, nobody answers the phone at the moment.",
        "declined": "I am sorry, nobody can speak to you at the moment.",
        "no-key": "I am sorry, nobody can speak to you at the moment.",
        "unavailable": "I am sorry, I cannot call anybody at the moment.",
    },
    offer_callback="Shall a colleague call you back? For yes, please say ja.",
    closed_callback="Nobody is here now, but we will gladly call you back at the number you are calling from.",
    what_else="To try again, please press zero.",
    which_of_two="Is it about {topic} or about {other}?",
    is_it_about="Is it about {topic}?",
    not_understood="I am sorry, I did not understand. I only understand German. Please press zero for a colleague.",
    unknown="I am sorry, I do not know that. Please press zero for a colleague.",
    unknown_closed="I am sorry, I do not know that, and nobody is here now. Please call again when we are open.",
    several_more="And now to your next question.",
    smalltalk="As a computer I cannot say much about that.",
    cannot="I am sorry, I cannot help you with that.",
    before={
        "emergency": "In an emergency please call one one two.",
        "accident": "If anybody is hurt, please call one one two.",
        "bereavement": "I am very sorry to hear that.",
        "complaint": "I am sorry that you have had trouble.",
        "distress": "That sounds hard. I am getting you a human.",
    },
    then_what="What is it about then?",
    appointment="A colleague looks after appointments. Please press zero for a colleague.",
    appointment_closed=(
        "A colleague looks after appointments, and nobody is here now. Please call again when we are open."
    ),
    go_ahead="Gladly, what is it about?",
    not_known="I am sorry, I do not know that.",
    why_asked="We only need this to reach you.",
    wait="Of course, take your time.",
    slower="Gladly, I will speak more slowly.",
    english_switch=GERMAN.english_switch,
    german_again=GERMAN.german_again,
    are_you_there="Are you still there? Please press zero for a colleague.",
    are_you_there_again="I am sorry, I cannot hear you. Please press zero for a colleague.",
    silence_end="I am sorry, I cannot hear you. Please call again. Goodbye.",
    goodbye="Thank you for your call. Goodbye.",
    am_ai="I am a computer, the AI assistant of {company}, not a human.",
    privacy="Your words are processed only on the computer of {company} and do not leave it.",
    whisper=(
        "Hier ist der KI-Assistent mit einem Anruf auf Englisch. KI-Zusammenfassung: {topic}. "
        "Taste Eins zum Annehmen, Taste Zwei zum Ablehnen."
    ),
    whisper_contact=GERMAN.whisper_contact,
    topics=GERMAN.topics,
    displays=GERMAN.displays,
)
