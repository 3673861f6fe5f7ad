-- grain: one row per community
-- rule: places and the nine published line scores; the reason is the line whose
--   weighted score moved most where comparable, else what is missing
-- build: month
with line as (
    select
        line.grid_id,
        max(line.score) filter (line.line = 'party') as party,
        max(line.score) filter (line.line = 'law') as law,
        max(line.score) filter (line.line = 'economy') as economy,
        max(line.score) filter (line.line = 'safety') as safety,
        max(line.score) filter (line.line = 'environment') as environment,
        max(line.score) filter (line.line = 'welfare') as welfare,
        max(line.score) filter (line.line = 'culture') as culture,
        max(line.score) filter (line.line = 'city') as city,
        max(line.score) filter (line.line = 'property') as property,
        string_agg(
            name.name, '、' order by name.position
        ) filter (line.state = 'not_reported') as missing_lines
    from score.line as line
    inner join seed.line as name
        on line.line = name.line
    where line.month = $month
        and line.level = 2
    group by line.grid_id
),

moved as (
    select
        ranking.grid_id,
        arg_max(
            name.name || ' ' || case when ranking.score_change > 0 then '+' else '−' end
            || (abs(ranking.score_change) * weight.weight / 100)::decimal(7, 2)::text,
            (abs(ranking.score_change) * weight.weight, -name.position)
        ) as reason
    from ranking.line as ranking
    inner join seed.line as name
        on ranking.line = name.line
    inner join seed.line_weight as weight
        on ranking.line = weight.line
        and weight.valid_from <= $month
        and (weight.valid_to is null or weight.valid_to >= $month)
    where ranking.month = $month
        and ranking.level = 2
        and abs(ranking.score_change) * weight.weight >= 10
    group by ranking.grid_id
),

paid as (
    select
        reward.grid_id,
        sum(reward.amount) as amount,
        string_agg(reward.rule, ' ' order by reward.rule) as rules
    from ranking.reward as reward
    where reward.month = $month
    group by reward.grid_id
)

select
    $month as month,
    row_number() over (order by ranking.place nulls last, unit.grid_id) as position,
    unit.grid_id,
    unit.name,
    unit.households,
    ranking.place,
    ranking.is_tied,
    ranking.total,
    line.* exclude (grid_id),
    total.bonus,
    total.deduction,
    ranking.last_place,
    ranking.place_change,
    ranking.total_change,
    ranking.is_comparable,
    ranking.last_streak,
    total.is_provisional,
    ranking.reason as unranked,
    paid.amount,
    paid.rules,
    case when ranking.is_comparable then moved.reason end as reason
from ranking.total as ranking
inner join core.month_unit as unit
    on ranking.grid_id = unit.grid_id
    and unit.month = $month
inner join score.total as total
    on ranking.grid_id = total.grid_id
    and total.level = 2
    and total.month = $month
left join line
    on ranking.grid_id = line.grid_id
left join moved
    on ranking.grid_id = moved.grid_id
left join paid
    on ranking.grid_id = paid.grid_id
where ranking.month = $month
    and ranking.level = 2
order by position
