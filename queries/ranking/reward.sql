-- grain: one row per community and rule that applies
-- rule: prizes by place; tied units share the prizes of the places they fill,
--   to the fen, a fen that is left goes to the lowest code; progress only where
--   comparable and not for those with a prize; the last two a talk, twice
--   running the committee decides, never at 90.00 or more
-- build: month
with unit as (
    select
        ranking.grid_id,
        ranking.total,
        ranking.place,
        ranking.units,
        ranking.place_change,
        ranking.last_streak,
        count(*) over (partition by ranking.place) as ties,
        row_number() over (
            partition by ranking.place order by ranking.grid_id
        ) as turn
    from ranking.total as ranking
    where ranking.month = $month
        and ranking.level = 2
        and ranking.place is not null
),

rule as (
    select
        reward.rule,
        reward.place_from,
        reward.place_to,
        (reward.amount * 100)::hugeint as fen
    from seed.reward as reward
    where reward.valid_from <= $month
        and (reward.valid_to is null or reward.valid_to >= $month)
),

prize as (
    select
        unit.grid_id,
        unit.ties,
        unit.turn,
        sum(rule.fen) as fen
    from unit
    inner join rule
        on rule.rule = 'prize'
        and rule.place_from between unit.place and unit.place + unit.ties - 1
    group by unit.grid_id, unit.ties, unit.turn
),

paid as (
    select
        prize.grid_id,
        'prize' as rule,
        prize.fen // prize.ties
        + case when prize.turn <= prize.fen % prize.ties then 1 else 0 end
            as fen,
        case when prize.ties > 1 then 'shared' end as reason
    from prize
    union all
    select
        unit.grid_id,
        'progress',
        rule.fen,
        unit.place_change::text
    from unit
    inner join rule
        on rule.rule = 'progress'
        and unit.place_change between rule.place_from and rule.place_to
    anti join prize
        on unit.grid_id = prize.grid_id
    union all
    select
        unit.grid_id,
        case when unit.last_streak >= 2 then 'committee' else 'talk' end,
        0,
        unit.last_streak::text
    from unit
    inner join rule
        on rule.rule = 'talk'
        and unit.place + unit.ties - 1 > unit.units - rule.place_to
    where unit.total < 90
        and unit.place > 1
)

select
    $month as month,
    paid.grid_id,
    paid.rule,
    (paid.fen::decimal(14, 0) * 0.01::decimal(3, 2))::decimal(14, 2) as amount,
    paid.reason
from paid
order by paid.grid_id, paid.rule
