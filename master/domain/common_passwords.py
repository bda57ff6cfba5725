"""The words passwords are built from when people do not think: written down for this project, not copied.

Source: collected by hand from what every operator has seen on sticky notes: the word "password" and its kin
in several languages, names of products and roles, greetings, seasons, months, teams, pets, and the rows of
keyboards. Years, counters, signs and letters turned into digits are not listed: `passwords.py` takes them off
before it looks here.
"""

from typing import Final

KEYBOARD_ROWS: Final = (
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "qwertzuiop",
    "yxcvbnm",
    "azertyuiop",
    "qsdfghjklm",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm",
    "qazwsxedcrfvtgbyhnujm",
    "!@#$%^&*()",
)

_TEXT: Final = """
password passwort passw0rd passwd pass pwd motdepasse contrasena senha parola wachtwoord haslo mima
secret geheim secure security letmein letmeinnow openup opensesame sesame access login logon signin
welcome willkommen bienvenue hello hallo goodbye thankyou please changeme changeit change default
temporary temp test testing tester demo sample example trial guest user username users account admin
administrator root system sysadmin manager operator master owner super superuser supervisor server
service database oracle mysql postgres mongo mongodb redis etcd cron everytick scheduler worker
linux windows ubuntu debian apple google facebook microsoft amazon samsung android iphone internet
computer laptop keyboard monitor mouse network office company business project qwerty qwertz azerty
asdf asdfgh zxcvbn qwertyuiop qazwsx iloveyou loveyou lovely love forever princess prince sunshine
sweetheart sweet baby angel angels dragon monkey tiger lion eagle shadow ninja pirate wizard knight
warrior hunter ranger killer football baseball basketball soccer hockey tennis golf liverpool
chelsea arsenal barcelona madrid superman batman spiderman pokemon starwars matrix hacker gandalf
freedom trustno whatever nothing summer winter spring autumn sommer herbst january february march
april june july august september october november december monday tuesday wednesday thursday friday
saturday sunday michael jennifer jessica daniel thomas robert charlie george jordan ashley nicole
andrew joshua london paris berlin newyork america germany france china money dollar million lucky
happy family mother father brother sister friend friends coffee chocolate cookie cheese pepper
banana orange purple yellow silver golden diamond flower computer123 abc abcd abcdef one two three
four five six seven eight nine zero first second correct horse battery staple
"""

WORDS: Final = frozenset(_TEXT.split())
