"""The direction of a language's writing.

A script in the tag decides. Without one it is the script in which the language is usually written, in the tag's country
if it names one. The tables follow Unicode's CLDR (likely subtags), with older and longer codes of the same languages.
"""

from __future__ import annotations

from typing import Literal

# Scripts that run from right to left (ISO 15924): the Bidi_Class of their letters is R or AL.
_SCRIPTS = frozenset(
    """adlm arab aran armi avst chrs cprt elym gara hatr hebr hung khar lydi mand mani mend merc mero narb nbat nkoo
    orkh ougr palm phli phlp phnx prti rohg samr sarb sidt sogd sogo syrc syre syrj syrn thaa yezi""".split()  # noqa: SIM905 (quoted words are harder to read)
)
_LANGUAGES = frozenset(
    """aao abh abv acm acq acw acx adf ae aeb aec aee aeq afb aib aii aij aiq ajp ajt aju amw apc apd ar ara arb arc
    arq ars ary arz ask atn auj auz avd ave avl ayh ayl ayn ayp azb bal bcc bdz bej bft bgn bgp bhe bhm bhn bjf bjm
    bqi brh brk bsh bsk chg cja ckb cld clh czk dcc def deh dgl div dmk dml drw dv ecy esh fa fas fay faz fia fub
    gbz ggg gha ghr gig gjk gju glh glk gwc gwf gwt gzi hac haz hbo he heb hkh hnd hno hoh hrt hrz hss huy isk itk
    iw jad jat jbe jbn jdg ji jnd jog jpa jpr jrb jye kas kbu kby kcy kfm khw klj kmz kqd ks ktl kvx kxp kzh lad lah
    lhs lki lrc lrk lrl lsa lsd lss luv luz mby mde mfa mfi mhj mid mki mnj mve mvy myz mzn nli nlm nqo ntz nyq oar
    obm odk oru ota otk oui pal pbt pbu per pes pgd phl phn phr phv plk pmu pnb pra prc prd prs prx ps psh psi pst
    pus qxq rdb rhg rmt sam sbn scl sd sdb sdf sdg sdh sds sgl sgr sgy shd shm shu shv siy siz skr smp smy snd sog
    sqo sqt srh srz ssh sts swb syc syn syr tjo tks tmr tnf tov tra trg trm trw ug uig ur urd ush uzs vaf vgr vmh
    wbk wlo wne wni wsv xco xhe xka xkc xkj xkp xld xly xmn xmr xna xpr xsa xvi ydd ydg yhd yi yid yih yud zba zdj
    zrp zum""".split()  # noqa: SIM905
)
# A language and a country that writes it in another direction than most countries do.
_RTL_COUNTRIES = frozenset(
    {
        *("az-iq", "az-ir", "ha-cm", "ha-sd", "kk-af", "kk-cn", "kk-ir", "kk-mn", "ku-lb", "ky-cn", "ms-cc", "pa-pk"),
        *("tg-pk", "uz-af"),
    }
)
_LTR_COUNTRIES = frozenset({"sd-in", "ug-kz", "ug-mn"})


def direction(language: str) -> Literal["rtl", "ltr"]:
    """Return `rtl` or `ltr` for a BCP 47 language tag."""
    first, *subtags = language.lower().split("-")
    for subtag in subtags:
        if len(subtag) == 1:
            break  # private subtags or an extension follow
        if len(subtag) == 4 and subtag.isalpha():  # RFC 5646, section 2.2.3
            return "rtl" if subtag in _SCRIPTS else "ltr"
        if len(subtag) == 2:
            language_there = f"{first}-{subtag}"
            if language_there in _RTL_COUNTRIES or language_there in _LTR_COUNTRIES:
                return "rtl" if language_there in _RTL_COUNTRIES else "ltr"
    return "rtl" if first in _LANGUAGES else "ltr"
