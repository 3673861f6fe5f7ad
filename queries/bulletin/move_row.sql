-- grain: one row per unit, rubric row with points and cause, of lines scored in
--   both months
-- rule: what the row moved its line, in 10⁻⁶ of a line's points, by the causes
--   of ARCHITECTURE.md, Numbers. A row that came or went moves the mean of the
--   others; a row whose clause changed is rubric as a whole
-- build: month
with pair as (
    select
        pair.*,
        mix.volume,
        -- On a base of 100: the row, and the mean of the rows of both months.
        pair.points::hugeint * 100000000 // pair.worth as reached,
        pair.last_points::hugeint * 100000000 // pair.last_worth as last_reached,
        coalesce(pair.shared_points::hugeint * 100000000 // nullif(pair.shared_worth, 0), 0) as mean,
        coalesce(pair.last_shared_points::hugeint * 100000000 // nullif(pair.last_shared_worth, 0), 0) as last_mean
    from bulletin.move_pair as pair
    inner join bulletin.move_line as line
        on pair.level = line.level
        and pair.grid_id = line.grid_id
        and pair.line = line.line
        and line.month = $month
        and line.is_scored_twice
    left join bulletin.move_mix as mix
        on pair.level = mix.level
        and pair.grid_id = mix.grid_id
        and pair.indicator = mix.indicator
        and mix.month = $month
    where pair.month = $month
),

split as (
    select
        pair.level,
        pair.grid_id,
        pair.line,
        pair.indicator,
        case
            when not pair.is_same_clause then 'rubric'
            when not pair.is_scored_twice then 'missing'
            when pair.rule = 'deduct' then 'events'
            when pair.state <> pair.last_state
                or pair.state in ('no_sample', 'not_applicable')
                then 'missing'
            when pair.rule in ('density', 'share') then 'volume'
            else 'rate'
        end as cause,
        case
            when pair.is_scored_twice
                then (pair.points::hugeint * pair.last_worth - pair.last_points::hugeint * pair.worth)
                    * 100000000 // (pair.shared_worth::hugeint * pair.last_worth)
            when pair.points is not null
                then pair.worth * (pair.reached - pair.mean) // pair.line_worth
            when pair.last_points is not null
                then -pair.last_worth * (pair.last_reached - pair.last_mean) // pair.last_line_worth
        end as amount,
        case when pair.is_scored_twice
            then (
                pair.worth::hugeint * pair.last_shared_worth
                - pair.last_worth::hugeint * pair.shared_worth
            ) * (pair.last_reached - pair.last_mean)
                // (pair.shared_worth::hugeint * pair.last_shared_worth)
        end as reweighed,
        coalesce(pair.volume::hugeint * 100000000 // pair.shared_worth, 0) as volume
    from pair
)

select
    $month as month,
    split.level,
    split.grid_id,
    split.line,
    split.indicator,
    part.cause,
    sum(part.amount)::bigint as amount
from split
cross join lateral (
    values
        (
            split.cause,
            split.amount - case split.cause when 'rate' then split.volume else 0 end
        ),
        ('volume', case split.cause when 'rate' then split.volume end),
        ('rubric', split.reweighed)
) as part(cause, amount)
where part.amount <> 0
group by split.level, split.grid_id, split.line, split.indicator, part.cause
order by split.level, split.grid_id, split.line, split.indicator, part.cause
